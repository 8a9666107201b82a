"""Other programs to measure beside: each from PyPI, in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

INSTALL_SECONDS = 300.0


class NoPeer(Exception):
    """A peer cannot be installed or driven here; the message says why, in one line."""


def environment(folder: str | Path, *packages: str) -> Path:
    """Return the `bin` folder of an environment with `packages`; it is made once and kept.

    Args:
        folder: holds the environments of all peers, each under the name of its first package.
        packages: as pip takes them, such as `urlwatch` or `urlwatch==2.29`.

    Raises:
        NoPeer: the environment cannot be made or a package cannot be installed.
    """
    home = Path(folder).resolve() / packages[0].partition("==")[0]
    made = home / "scout-bench.txt"
    wanted = "\n".join(packages)
    if not (made.exists() and made.read_text() == wanted):
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *packages])
        made.write_text(wanted)
    return home / "bin"


def version(binaries: Path, package: str) -> str:
    """Return the installed version of `package`."""
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    return _run([str(binaries / "python"), "-c", code, package]).strip()


def _run(arguments: list[str]) -> str:
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no reason given"]
        raise NoPeer(said[-1][:200]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPeer(str(error)[:200]) from error
    return done.stdout
