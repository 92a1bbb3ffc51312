"""`moee doctor`: what is missing on this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import typer

from moee_cli import __version__
from moee_cli.cli import console, options
from moee_cli.core.errors import Unavailable

EXAMPLES = """
moee doctor
moee doctor --json
"""


def doctor(*, as_json: options.JsonOption = False) -> None:
    """Check this machine: Python, ffmpeg, libraries, devices.

    Each line says ok, warn or fail, and what to do. The exit code is 4 if something needed is missing.
    """
    from moee_cli.workflow.doctor import Diagnosis, Status, examine, has_failed

    # Nobody needs voices to render: what is missing there is told, and is no fault.
    diagnoses = [*examine(), Diagnosis("voices", Status.OK, *_voices())]
    if as_json:
        content = {"moee": __version__, "checks": [asdict(diagnosis) for diagnosis in diagnoses]}
        console.data(json.dumps(content, indent=2))
    else:
        console.data(f"moee {__version__}")
        width = max(len(diagnosis.name) for diagnosis in diagnoses)
        colours = {"ok": console.GREEN, "warn": console.YELLOW, "fail": console.RED}
        for diagnosis in diagnoses:
            status = console.style(f"{diagnosis.status:<4}", colours[diagnosis.status], stream=sys.stdout)
            console.data(f"{status}  {diagnosis.name:<{width}}  {console.escape(diagnosis.found)}")
            if diagnosis.advice:
                console.data(f"{'':<{width + 8}}{diagnosis.advice}")
    if has_failed(diagnoses):
        raise typer.Exit(Unavailable.exit_code)


def _voices() -> tuple[str, str]:
    """Return the synthetic voices that `moee train data` finds here, and how to get the missing ones."""
    from moee_cli.training.motion.shelf import find_sources

    sources = find_sources(None)
    kinds = {
        "flite": (sources.flite, "flite"),
        "festival": (sources.festival, "festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"),
        "espeak-ng": (("many languages",) if sources.has_espeak else (), "libespeak-ng1 espeak-ng-data"),
    }
    there = [f"{name} ({', '.join(voices)})" for name, (voices, _) in kinds.items() if voices]
    missing = [packages for voices, packages in kinds.values() if not voices]
    advice = f"only `moee train data` needs them: apt install {' '.join(missing)}" if missing else ""
    return ", ".join(there) or "no synthetic voices", advice
