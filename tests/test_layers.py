"""The import rule: downwards only, no package imports another one of its level, heavy libraries only where needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "moee_cli"

LEVELS = (
    ("core",),
    ("store",),
    ("models", "sampling", "face", "audio", "transcript", "emotion", "script", "media"),
    ("engines", "presets"),
    ("workflow", "training"),
    ("cli",),
)
"""From the ground up."""
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}

TOP = {"__init__", "__main__"}
"""Modules of the package itself: they may name what is public, and `-m moee_cli` starts the program."""

HEAVY = ("torch", "mediapipe", "cv2", "diffusers", "transformers")
NOT_FOR_HELP = ("numpy", "pydantic", "yaml", "rich", "av", "multiprocessing")
"""Lighter, and still too slow for a program that answers at once."""
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Yield the full names a module imports, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str | None:
    """Return the part of the package a full name belongs to: `media` for moee_cli.media.probe.VideoInfo."""
    parts = name.split(".")
    return parts[1] if parts[0] == "moee_cli" and len(parts) > 1 else None


def violations(source: str, module: str) -> list[str]:
    """Return the imports of a module that break the rule."""
    own = part_of(module)
    found = []
    for name in imported(ast.parse(source), module):
        other = part_of(name)
        if other in (None, own) or other not in LEVEL or own in TOP:
            continue
        if LEVEL[other] >= LEVEL[own]:
            found.append(f"{module} ({own}) imports {name} ({other})")
    return found


def module_name(path: Path) -> str:
    """Return `moee_cli.media.probe` for its file."""
    return ".".join(("moee_cli", *path.relative_to(PACKAGE).with_suffix("").parts))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_downwards(path):
    assert violations(path.read_text("utf-8"), module_name(path)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("moee_cli.media.probe", "from moee_cli.workflow import plan"),
        ("moee_cli.media.probe", "from moee_cli.audio.features import extract_features"),
        ("moee_cli.core.types", "def f():\n    import moee_cli.store.paths"),
        ("moee_cli.engines.base", "from moee_cli.presets import preset"),
        ("moee_cli.audio.features", "from ..face import pose"),
        ("moee_cli.workflow.render", "from moee_cli.cli import console"),
    ],
)
def test_the_rule_catches(module, source):
    assert violations(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("moee_cli.cli.app", "from moee_cli.workflow import plan"),
        ("moee_cli.media.probe", "from moee_cli.media.ffmpeg import run"),
        ("moee_cli.workflow.render", "from moee_cli import __version__"),
        ("moee_cli.audio.features", "from . import visemes"),
    ],
)
def test_the_rule_allows(module, source):
    assert violations(source, module) == []


def test_every_part_has_a_level():
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert parts - TOP - {"presets_data"} <= set(LEVEL)


LIGHT = [path for path in MODULES if part_of(module_name(path)) not in {"models", "training"} and path.stem != "engine"]
"""All but networks and engines, which are imported by nothing but what renders or trains."""


@pytest.mark.parametrize("path", LIGHT, ids=module_name)
def test_torch_is_imported_only_inside_functions(path):
    """A module-level import would be paid by everything that names the module."""
    name = module_name(path)
    tree = ast.parse(path.read_text("utf-8"))
    top_level = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    heavy = [
        other for other in imported(top_level, name) if other.split(".")[0] in {"torch", "diffusers", "transformers"}
    ]
    assert heavy == []


def loaded_by(code: str) -> set[str]:
    """Return which heavy libraries a fresh Python holds after running some code."""
    report = (
        f"import sys\n{code}\nsys.stderr.write(' '.join(n for n in {(*HEAVY, *NOT_FOR_HELP)!r} if n in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return set(done.stderr.split())


def test_help_loads_nothing_heavy():
    assert loaded_by("from moee_cli.cli.app import run\nassert run(['--help']) == 0") == set()


def test_the_engine_list_loads_no_torch():
    assert loaded_by("from moee_cli.cli.app import run\nassert run(['engines']) == 0").isdisjoint(HEAVY)


def test_checking_a_script_loads_no_torch(film):
    code = f"from moee_cli.cli.app import run\nassert run(['check', {str(film())!r}]) == 0"
    assert loaded_by(code).isdisjoint(HEAVY)


def test_the_public_names_load_no_torch():
    assert loaded_by("import moee_cli").isdisjoint(HEAVY)
