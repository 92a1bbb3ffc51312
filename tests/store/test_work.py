"""Work folders and temporary files go, whatever became of their process."""

import subprocess
import sys

import pytest

from moee_cli.core.errors import Unavailable
from moee_cli.store.abandoned import is_abandoned, owner
from moee_cli.store.atomic import write_text
from moee_cli.store.paths import cache_folder
from moee_cli.store.work import work_folder


def owner_of_a_dead_process():
    code = "from moee_cli.store.abandoned import owner; print(owner())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_folder_is_gone_after_an_error():
    folders = []

    def fail():
        with work_folder() as folder:
            (folder / "piece").write_text("x")
            folders.append(folder)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not folders[0].exists()


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    dead = owner_of_a_dead_process()
    parent = cache_folder() / "work"
    for name in (f"{dead}.abc", f"{owner()}.abc", "otherhost.1.abc", "note"):
        (parent / name).mkdir(parents=True)
    with work_folder():
        assert {path.name for path in parent.iterdir()} >= {f"{owner()}.abc", "otherhost.1.abc", "note"}
        assert not (parent / f"{dead}.abc").exists()
    left = tmp_path / f".moee-{dead}.abc.part"
    ours = tmp_path / f".moee-{owner()}.abc.part"
    for path in (left, ours):
        path.write_text("x")
    write_text(tmp_path / "a", "text")
    assert not left.exists()
    assert ours.exists()


def test_only_names_with_a_process_of_this_machine_count():
    assert not is_abandoned(owner() + ".x")
    assert not is_abandoned("x.999999999.y")
    assert not is_abandoned(owner().rpartition(".")[0] + ".word.x")
    assert is_abandoned(owner_of_a_dead_process() + ".x")


def test_a_cache_that_cannot_be_made_says_what_to_set(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOEE_CACHE", str(tmp_path / "file"))
    with pytest.raises(Unavailable) as caught, work_folder():
        pass
    assert "MOEE_CACHE" in (caught.value.hint or "")
