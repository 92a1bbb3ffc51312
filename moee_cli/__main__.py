"""`moee`, also as `python -m moee_cli`. Until the program can end tidily, Ctrl-C ends it without a traceback."""

from __future__ import annotations

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the program on the arguments of the process, and exit."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from moee_cli.cli.app import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
