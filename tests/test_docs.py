"""The docs say what the program does: every command with an example, no stale page, no dead link, no foreign path."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from moee_cli.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/**/*.md")
    for path in ROOT.glob(pattern)
)
NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]


def load_generator():
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = load_generator()


def page_name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(name):
    text = generator.help_text(name)
    assert "Examples:\n" in text
    assert re.search(rf"^\s+(.*\| )?moee {name}\b", text.partition("Examples:")[2], re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_summaries_fit_the_list_of_commands(name):
    (line,) = re.findall(rf"^  {name} +(.*)$", generator.help_text(), re.MULTILINE)
    assert line.endswith(".")
    assert not line.endswith("...")


@pytest.mark.parametrize("path", list(generator.files()), ids=page_name)
def test_generated_files_are_current(path):
    assert path.read_text("utf-8") == generator.files()[path](), "run `just docs`"


@pytest.mark.parametrize(("shell", "file"), [("bash", "moee.bash"), ("zsh", "_moee"), ("fish", "moee.fish")])
def test_completions_are_scripts_their_shell_reads(shell, file):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", ROOT / "completions" / file], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_stands_in_the_docs(name):
    assert f"## moee {name}\n" in (ROOT / "docs" / "cli.md").read_text("utf-8")


def links(path):
    """Return the targets of a page's links into the repository."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(path):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_internal_links_lead_somewhere(path):
    dead = []
    for link in links(path):
        target, _, anchor = link.partition("#")
        place = (path.parent / target).resolve() if target else path
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_commands_in_the_docs_exist(path):
    used = re.findall(r"(?:^|`|\| |\$ |/)moee ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
    assert sorted({name for name in used if name not in NAMES}) == []


def test_no_machine_paths():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False, cwd=ROOT).stdout.split(
        "\n"
    )
    files = [ROOT / name for name in tracked if name] or PAGES
    foreign = re.compile(r"(?<![\w.~/])/(?:work|home/\w+|root|Users/\w+)/")
    found = []
    for path in files:
        if path == Path(__file__) or not path.is_file() or path.stat().st_size > 500_000:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{page_name(path)}: {match[0]}" for match in foreign.finditer(text)]
    assert found == []


def test_changelog_has_this_version():
    from moee_cli import __version__

    assert re.search(rf"^## \[{re.escape(__version__)}\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def test_just_has_one_word_for_each_job():
    words = re.findall(r"^([a-z]+)[^:\n]*:$", (ROOT / "justfile").read_text("utf-8"), re.MULTILINE)
    assert words == ["setup", "test", "lint", "fix", "docs", "bench"]
