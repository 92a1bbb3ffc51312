"""Files are complete under their name or not there."""

import os
import stat
from pathlib import Path

import pytest

from moee_cli.core.errors import EnvironmentFailed, OutputError
from moee_cli.store.atomic import check_target, replacing, scratch, write_bytes, write_text


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert not path.exists()
    assert path.read_text() == "new"
    assert _names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(error), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise error
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["a.txt"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    write_text(tmp_path / "real" / "a.txt", "old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real" / "a.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "new"
    assert _names(tmp_path / "real") == ["a.txt"]


def test_long_and_odd_names(tmp_path):
    for name in ("x" * 255, "a\nb", "-f", "ü" * 100):
        write_bytes(tmp_path / name, b"1")
        assert (tmp_path / name).read_bytes() == b"1"


def test_places_where_no_file_can_be(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        check_target(tmp_path / "gone" / "a.txt")
    with pytest.raises(OutputError, match="it is a folder"):
        check_target(tmp_path)
    write_text(tmp_path / "file", "")
    with pytest.raises(OutputError):
        check_target(tmp_path / "file" / "a.txt")
    with pytest.raises(OutputError):
        check_target(tmp_path / ("x" * 300))


def test_a_device_is_never_replaced():
    with pytest.raises(OutputError, match="not a plain file"):
        check_target(Path(os.devnull))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        write_text(tmp_path / "a.txt", "x")


def test_a_folder_that_refuses_files(tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        write_text(tmp_path / "a.txt", "x")


def test_no_space_is_noticed_when_the_data_reaches_the_disk(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFailed, match="No space left"):
        write_text(tmp_path / "a.txt", "x")
    assert _names(tmp_path) == []


def test_scratch_goes_away(tmp_path):
    with scratch(tmp_path / "a") as temporary:
        temporary.write_text("x")
    with scratch(tmp_path / "a") as temporary:
        temporary.rename(tmp_path / "kept")
    assert _names(tmp_path) == ["kept"]
