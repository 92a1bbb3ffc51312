# ruff: noqa: INP001 - a script beside the pages it writes, no package
"""Writes what docs/ and completions/ take from the program; `--check` only says whether it is current.

python docs/generate.py
python docs/generate.py --check
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import typer

from moee_cli.cli import events
from moee_cli.cli.app import COMMANDS, COMPLETE_VARIABLE, PROGRAM, app
from moee_cli.script.reference import reference_page

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- generated: docs/generate.py -->\n", "<!-- end of generated -->\n"
WIDTH = 96


def help_text(*command: str) -> str:
    """Return what `moee COMMAND --help` prints."""
    parser = typer.main.get_command(app)
    context = parser.make_context(PROGRAM, list(command), terminal_width=WIDTH, resilient_parsing=True)
    if not command:
        return context.get_help()
    name, subcommand, _ = parser.resolve_command(context, list(command))
    sub_context = subcommand.make_context(name, [], parent=context, terminal_width=WIDTH, resilient_parsing=True)
    return sub_context.get_help()


def commands_section() -> str:
    """Return the help of every command, for docs/cli.md."""
    names = [module.__name__.rpartition(".")[2] for module in COMMANDS]
    sections = [f"## moee\n\n```text\n{help_text().rstrip()}\n```\n"]
    sections += [f"## moee {name}\n\n```text\n{help_text(name).rstrip()}\n```\n" for name in names]
    return "\n" + "\n".join(sections) + "\n"


def events_section() -> str:
    """Return the table of every event, for docs/events.md."""
    parts = ["## Every event\n", _fields(events.ENVELOPE)]
    for name, (meaning, fields) in events.EVENTS.items():
        parts += [f"## `{name}`\n\n{meaning}\n", _fields(fields)]
    return "\n" + "\n".join(parts) + "\n"


def _fields(fields: dict[str, str]) -> str:
    rows = []
    for name, text in fields.items():
        kind, _, meaning = text.partition(": ")
        rows.append(f"| `{name}` | {kind} | {meaning} |")
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows]) + "\n"


def completion(shell: str) -> str:
    """Return the completion script of a shell: it asks the program itself, so it never goes stale inside."""
    from typer.completion import get_completion_script

    script = get_completion_script(prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE, shell=shell)
    return script.strip() + "\n"


def with_section(path: Path, section: str) -> str:
    """Return a page with the text between its marks replaced."""
    before, found, rest = path.read_text("utf-8").partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise SystemExit(f"{path}: lacks the marks {BEGIN.strip()} and {END.strip()}")
    return before + BEGIN + section + END + after


def files() -> dict[Path, Callable[[], str]]:
    """Return every generated file and what makes its text."""
    docs, completions = ROOT / "docs", ROOT / "completions"
    return {
        docs / "cli.md": lambda: with_section(docs / "cli.md", commands_section()),
        docs / "script.md": reference_page,
        docs / "events.md": lambda: with_section(docs / "events.md", events_section()),
        completions / "moee.bash": lambda: completion("bash"),
        completions / "_moee": lambda: completion("zsh"),
        completions / "moee.fish": lambda: completion("fish"),
    }


def main() -> None:
    """Write the files, or name those that are stale."""
    stale = [path for path, make in files().items() if not path.exists() or path.read_text("utf-8") != make()]
    names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
    if "--check" in sys.argv[1:]:
        raise SystemExit(f"stale, run `just docs`: {names}" if stale else 0)
    for path in stale:
        path.write_text(files()[path](), encoding="utf-8")
    print(f"wrote {names}" if stale else "all current")  # noqa: T201 - a script, run by hand


if __name__ == "__main__":
    main()
