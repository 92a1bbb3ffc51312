"""Modules imported when they are used."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from moee_cli.face.postponed import postponed


@pytest.fixture
def charts(tmp_path, monkeypatch):
    """A library `charts` with a module `charts.lines`, and `painter`, which imports them."""
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "__init__.py").write_text("colour = 'red'")
    (tmp_path / "charts" / "lines.py").write_text("import charts\ndef draw(): return charts.colour")
    (tmp_path / "painter.py").write_text("import charts.lines as lines\ndef paint(): return lines.draw()")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("charts", "charts.lines", "painter"):
        sys.modules.pop(name, None)


def test_a_postponed_module_is_imported_when_it_is_used(charts):
    with postponed("charts", "charts.lines"):
        import painter
    assert not {"charts", "charts.lines"} & set(sys.modules)
    assert painter.paint() == "red"
    assert "charts.lines" in sys.modules


def test_it_can_be_used_at_once(charts):
    with postponed("charts", "charts.lines"):
        import painter

        assert painter.paint() == "red"


def test_others_get_the_module_itself(charts):
    with postponed("charts", "charts.lines"):
        import painter  # noqa: F401 - imported for what it imports
    import charts as whole

    assert whole.colour == "red"
    with postponed("charts", "charts.lines"):
        assert sys.modules["charts"] is whole
    assert sys.modules["charts"] is whole


def test_finding_faces_imports_no_chart_library_and_breaks_none():
    code = """
        import sys
        from moee_cli.face.landmarks import load_library
        load_library()
        assert not {"matplotlib", "sounddevice", "torch"} & set(sys.modules)
        import matplotlib.pyplot, mediapipe
        assert mediapipe.solutions.drawing_utils.plt.figure is not None
    """
    subprocess.run([sys.executable, "-c", dedent(code)], check=True)
