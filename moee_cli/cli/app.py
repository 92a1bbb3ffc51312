"""The program `moee`: its commands, and the error boundary around them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Annotated, NoReturn

import typer
from typer.completion import completion_init  # type: ignore[attr-defined] # public, but not marked so

from moee_cli import __version__
from moee_cli.cli import console
from moee_cli.cli.boundary import Failure, guarded
from moee_cli.cli.commands import (
    batch,
    check,
    doctor,
    emotions,
    engines,
    init,
    plan,
    presets,
    render,
    schema,
    sheet,
    train,
)
from moee_cli.cli.signals import signals_as_exceptions
from moee_cli.core.errors import InputError

COMMANDS: tuple[ModuleType, ...] = (
    init, check, plan, sheet, render, batch, emotions, presets, engines, schema, train, doctor,
)  # fmt: skip
"""Modules of the commands, in the order of the help: from the first script to many videos, then what may be asked."""

PROGRAM = "moee"
COMPLETE_VARIABLE = "_MOEE_COMPLETE"
"""Environment variable with which the scripts of completions/ ask for completions."""

EXAMPLES = """
moee init
moee render script.yaml
"""

app = typer.Typer(
    name=PROGRAM,
    add_completion=False,  # completions/ holds the scripts
    rich_markup_mode=None,  # plain help: quicker, and the same in a pipe as on a terminal
    pretty_exceptions_enable=False,  # the boundary shows errors
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _examples(text: str) -> str:
    """Return an epilog that keeps its lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in text.strip().splitlines())


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if wanted:
        console.data(f"moee {__version__}")
        raise typer.Exit


@app.callback(epilog=_examples(EXAMPLES))
def _moee(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Talking, emotional video from a portrait, recorded lines and a text file."""


def _register(module: ModuleType) -> None:
    name = module.__name__.rpartition(".")[2]
    command: Callable[..., None] = getattr(module, name)
    app.command(name, epilog=_examples(module.EXAMPLES))(command)


for _module in COMMANDS:
    _register(_module)


def main() -> NoReturn:
    """Run the program on the arguments of the process, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the program; return its exit code (docs/cli.md lists them). Shows every error, raises none."""
    _open_missing_streams()
    failure = guarded(lambda: _run(list(arguments)))
    if failure is None:
        return 0
    # From here on a second Ctrl-C could only spoil the message.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        guarded(lambda: _show(failure))
        guarded(_drop_unwritten_output)
    finally:
        signal.signal(signal.SIGINT, previous)
    return failure.exit_code


def _open_missing_streams() -> None:
    """Give the program the streams that its caller closed (`2>&-`, a daemon): nothing to read, nowhere to write."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - for as long as the program runs


def _check_folder() -> None:
    """Raise InputError if the current folder was deleted: no path could be told from it."""
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same call
    except FileNotFoundError:
        raise InputError("the current folder does not exist any more", "cd into a folder that does") from None


def _run(arguments: list[str]) -> None:
    for stream in (sys.stdout, sys.stderr):
        # A file name that is not UTF-8, or a terminal that is not, must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = typer.main.get_command(app)
    if COMPLETE_VARIABLE in os.environ:
        completion_init()
        command.main(arguments, prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE)
    # Not `command.main`: it would turn a closed pipe into exit code 1.
    with signals_as_exceptions(), command.make_context(PROGRAM, arguments or ["--help"]) as context:
        _check_folder()
        command.invoke(context)


def _show(failure: Failure) -> None:
    if failure.interrupted:
        console.say(failure.message)
    elif failure.error is not None:
        console.show_error(failure.error)


def _drop_unwritten_output() -> None:
    """Forget output that cannot be written; else the interpreter would try again at its end, and say so."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
