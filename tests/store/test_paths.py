"""Folders of the user's system."""

from pathlib import Path

import pytest

from moee_cli.store.paths import cache_folder, log_folder, models_folder


@pytest.mark.parametrize(("folder", "variable"), [(cache_folder, "MOEE_CACHE"), (models_folder, "MOEE_MODELS")])
def test_the_environment_wins(monkeypatch, tmp_path, folder, variable):
    monkeypatch.setenv(variable, str(tmp_path / "own"))
    assert folder() == tmp_path / "own"
    monkeypatch.setenv(variable, "~/own")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / "own"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "own")
    assert folder() == tmp_path / "own"


@pytest.mark.parametrize(("folder", "variable"), [(cache_folder, "MOEE_CACHE"), (models_folder, "MOEE_MODELS")])
def test_an_empty_variable_counts_as_unset(monkeypatch, folder, variable):
    monkeypatch.delenv(variable, raising=False)
    default = folder()
    monkeypatch.setenv(variable, "")
    assert folder() == default


def test_folders_of_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("CACHE", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    assert cache_folder() == tmp_path / "CACHE" / "moee"
    assert models_folder() == tmp_path / "DATA" / "moee" / "models"
    assert log_folder().is_relative_to(tmp_path / "STATE" / "moee")
    assert list(Path(tmp_path).iterdir()) == []
