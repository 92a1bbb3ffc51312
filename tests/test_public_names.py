"""The public interface is what `__all__` says, it works, and importing the package costs nothing."""

import subprocess
import sys

import pytest

import moee_cli


def test_every_public_name_is_there():
    for name in moee_cli.__all__:
        assert callable(getattr(moee_cli, name))
    with pytest.raises(AttributeError, match="rendr"):
        _ = moee_cli.rendr


def test_the_names_work_together(film, tmp_path):
    script = moee_cli.load_script(str(film()))
    planned = moee_cli.plan(script)
    result = moee_cli.render(planned, output=tmp_path / "x.mp4")
    assert result.n_frames == planned.timeline.n_frames == 10
    assert result.output.exists()


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, moee_cli; print(sorted({'torch', 'numpy', 'cv2', 'typer', 'yaml'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
