"""How long `moee --help` takes, against importing typer and rich alone, in one run on one machine.

python benchmarks/startup.py --repeats 15
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

BASE = "import typer, rich"
CASES = {
    BASE: BASE,
    "moee --help": "from moee_cli.cli.app import run; run(['--help'])",
    "moee --version": "from moee_cli.cli.app import run; run(['--version'])",
}


def seconds(code: str) -> float:
    """Return the wall time of a fresh Python running `code`."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Time the cases in turn, so that what else the machine does strikes all of them alike."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    for code in CASES.values():
        seconds(code)  # writes the bytecode and warms the file cache
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(repeats):
        for name, code in CASES.items():
            taken[name].append(seconds(code))
    base = min(taken[BASE])
    print(f"{repeats} runs each, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, values in taken.items():
        least, middle = min(values), statistics.median(values)
        print(f"{name:<20} least {least * 1e3:6.1f} ms  median {middle * 1e3:6.1f} ms  ratio {least / base:.2f}")


if __name__ == "__main__":
    main()
