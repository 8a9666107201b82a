"""`python -m scout_cli` is the `scout` command."""

from scout_cli.cli import main

if __name__ == "__main__":
    main()
