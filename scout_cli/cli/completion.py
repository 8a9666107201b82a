"""`scout completion`: Tab for three shells.

The scripts ask this command, in hidden options, what may stand where the cursor is; click answers.
Each shell quotes and filters as it always does, except Bash, which leaves both to its scripts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem, ShellComplete

from scout_cli.cli import names, streams
from scout_cli.cli.lazy import LazyGroup

_BARE = re.compile(r"[^\w./,+@%\x80-\U0010ffff-]")
_IN_DOUBLE = re.compile(r'[\\"$`]')
"""What needs a backslash in Bash: outside quotes, and between double quotes."""

SCOUTS = {
    "run": True,
    "show": False,
    "chat": False,
    "edit": False,
    "cancel": True,
    "pause": True,
    "resume": True,
    "rm": True,
    "history": True,
    "suppressed": True,
    "export": True,
}
"""Command -> whether it takes several SCOUTs. Tab after these imports no command."""

_BASH = r"""
_scout_completion() {
    local command=$1 kind row
    [[ $command == "~/"* ]] && command=$HOME/${command:2}
    COMPREPLY=()
    {
        read -r kind
        while IFS= read -r row; do COMPREPLY+=("$row"); done
    } < <("$command" completion bash --line="${COMP_LINE:0:COMP_POINT}" --word="$2" 2>/dev/null </dev/null)
    case $kind in
        file) compopt -o default 2>/dev/null ;;
        dir) compopt -o dirnames 2>/dev/null ;;
    esac
}
complete -o nosort -F _scout_completion scout 2>/dev/null || complete -F _scout_completion scout
"""  # noqa: E501 - a line of a shell script

_ZSH = r"""
#compdef scout
_scout_completion() {
    local -a rows items
    local kind row value
    local -a given=(${(Q)^words[2,CURRENT-1]} "${(Q)PREFIX}")
    rows=("${(@f)$("${(Q)words[1]}" completion zsh "${(@)given/#/--given=}" 2>/dev/null </dev/null)}")
    kind=$rows[1]
    case $kind in
        file) _files; return ;;
        dir) _files -/; return ;;
    esac
    for row in "${(@)rows[2,-1]}"; do
        value=${row%%$'\t'*}
        value=${value//\\/\\\\}
        items+=("${value//:/\\:}:${row#*$'\t'}")
    done
    _describe -V 'scout' items
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _scout_completion "$@"
else
    compdef _scout_completion scout
fi
"""  # noqa: E501 - a line of a shell script

_FISH = r"""
function _scout_completion
    set -l words (commandline -opc) (commandline -ct | string unescape)
    set -l rows ($words[1] completion fish --given=$words[2..-1] 2>/dev/null </dev/null)
    switch "$rows[1]"
        case file dir
            __fish_complete_path (commandline -ct)
        case '*'
            string collect -- $rows[2..-1]
    end
end
complete --command scout --no-files --arguments '(_scout_completion)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_SCRIPTS)))
@click.option("--line", hidden=True, help="Bash: the command line up to the cursor.")
@click.option("--word", hidden=True, help="Bash: the part that its answer replaces.")
@click.option("--given", hidden=True, multiple=True, help="The words up to the cursor.")
@click.pass_context
def command(
    ctx: click.Context, shell: str, line: str | None, word: str | None, given: tuple[str, ...]
) -> None:
    """Print the completion script for your shell.

    \b
    Bash:  echo 'eval "$(scout completion bash)"' >> ~/.bashrc
    Zsh:   echo 'eval "$(scout completion zsh)"' >> ~/.zshrc
    Fish:  scout completion fish > ~/.config/fish/completions/scout.fish

    Tab then completes commands, options, and the titles of your scouts.

    \b
    Example:
      scout completion bash
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    root = ctx.find_root().command
    assert isinstance(root, LazyGroup)
    if line is not None:
        _answer_bash(root, line, word or "")
    elif given:
        _answer(candidates(root, list(given[:-1]), given[-1]))
    else:
        streams.put(_SCRIPTS[shell].strip())


class _Quick(LazyGroup):
    """The same command line, in which a SCOUT is completed without importing its command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, *rest = args
        if not _expects_scout(name, rest):
            return super().resolve_command(ctx, args)
        argument = click.Argument(["names"], nargs=-1, type=names.SCOUT)
        return name, click.Command(name, params=[argument]), []


def candidates(root: LazyGroup, before: list[str], incomplete: str) -> list[CompletionItem]:
    """Return what may stand at the end of a command line.

    Args:
        root: the command line's root.
        before: the words after `scout` that are complete, without quotes.
        incomplete: what there is of the next one, without quotes.
    """
    if not incomplete.startswith("-"):
        options = {"name": root.name, "params": root.params, "callback": root.callback}
        root = _Quick(table=root.table, **options)
    return ShellComplete(root, {}, "scout", "").get_completions(before, incomplete)


def _expects_scout(name: str, rest: list[str]) -> bool:
    """Return whether a SCOUT comes next for certain; if it only may, click is asked."""
    if rest and rest[-1].startswith("-"):
        return rest[-1] == "--scout"
    return name in SCOUTS and (SCOUTS[name] or not rest)


class Line(NamedTuple):
    """A command line up to the cursor, as a shell reads it."""

    words: list[str]
    """The complete ones, without their quotes."""
    current: str
    """What there is of the last one, without its quotes; empty after a blank."""
    quote: str
    """The quotation mark that is still open, if any."""


def read(line: str) -> Line:
    """Read a command line up to the cursor by the quoting rules that all POSIX shells share.

    Source: POSIX.1-2017, Shell Command Language, 2.2 Quoting.
    """
    words: list[str] = []
    current: list[str] | None = None
    quote, place = "", 0
    while place < len(line):
        char, following = line[place], line[place + 1 : place + 2]
        place += 1
        if not quote and char in " \t\n":
            words += [] if current is None else ["".join(current)]
            current = None
            continue
        current = [] if current is None else current
        if char == "\\" and quote != "'" and (not quote or following in '\\"$`'):
            current.append(following)
            place += 1
        elif char == quote or (not quote and char in "'\""):
            quote = "" if quote else char
        else:
            current.append(char)
    return Line(words, "".join(current or ()), quote)


def _answer_bash(root: LazyGroup, text: str, word: str) -> None:
    """Print what Bash is to put in the place of `word`, quoted as the person began to quote."""
    line = read(text)
    found = candidates(root, line.words[1:], line.current)
    rows = [_in_bash(item.value, line, word) for item in found if item.type == "plain"]
    _put(found, [row for row in rows if row])


def _in_bash(value: str, line: Line, word: str) -> str:
    """Return `value` as text that continues `word`; empty when it cannot."""
    if value.startswith(line.current):
        return word + _quoted(value[len(line.current) :], line.quote)
    whole = read(word).current == line.current
    return _quoted(value, line.quote) if whole else ""


def _quoted(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("'", "'\\''")
    return (_IN_DOUBLE if quote else _BARE).sub(r"\\\g<0>", text)


def _answer(found: list[CompletionItem]) -> None:
    """Print what may stand there, one a line, its explanation after a tab."""
    plain = [item for item in found if item.type == "plain"]
    _put(found, [f"{item.value}\t{streams.line(item.help or '')}" for item in plain])


def _put(found: list[CompletionItem], rows: list[str]) -> None:
    kind = next((item.type for item in found if item.type != "plain"), "plain")
    streams.put("\n".join([kind, *rows]))
