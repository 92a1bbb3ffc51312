"""Finding scripts, and a pool whose workers may fail, crash, be killed or be left alone."""

import os
import signal
import time
from pathlib import Path

import pytest

from moee_cli.core.errors import EnvironmentFailed, InputError, OutOfMemory
from moee_cli.workflow.batch import Pool, WorkerLost, find_scripts

SCRIPT = "moee: 1\nsegments: []\n"


def write(path: Path, text: str = SCRIPT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(found):
    return [(script.source.name, str(script.relative)) for script in found]


def test_a_folder_is_searched_in_order_and_keeps_its_tree(tmp_path):
    for name in ("b.yaml", "a/z.yml", "a/deep/x.YAML", "notes.txt"):
        write(tmp_path / name)
    found, left_out = find_scripts([str(tmp_path)])
    assert names(found) == [("x.YAML", "a/deep/x.YAML"), ("z.yml", "a/z.yml"), ("b.yaml", "b.yaml")]
    assert left_out == []


def test_settings_without_segments_are_left_out_of_a_folder(tmp_path):
    write(tmp_path / "studio.yaml", "moee: 1\ncast: {}\n")
    write(tmp_path / "film.yaml", "extends: studio.yaml\nsegments: []\n")
    write(tmp_path / "french.yaml", "extends: film.yaml\nseed: 3\n")
    found, left_out = find_scripts([str(tmp_path)])
    assert [script.source.name for script in found] == ["film.yaml", "french.yaml"]
    assert [path.name for path in left_out] == ["studio.yaml"]


def test_a_script_that_is_named_is_taken_whatever_it_holds(tmp_path):
    path = write(tmp_path / "film.txt", "not even yaml: [")
    assert names(find_scripts([str(path)])[0]) == [("film.txt", "film.txt")]


def test_a_pattern_keeps_the_tree_below_its_fixed_part(tmp_path):
    for name in ("a/1.yaml", "a/b/2.yaml", "c/3.yaml"):
        write(tmp_path / name)
    found, _ = find_scripts([f"{tmp_path}/a/**/*.yaml"])
    assert names(found) == [("1.yaml", "1.yaml"), ("2.yaml", "b/2.yaml")]


def test_a_pattern_relative_to_the_current_folder(tmp_path, monkeypatch):
    write(tmp_path / "1.yaml")
    monkeypatch.chdir(tmp_path)
    assert names(find_scripts(["*.yaml"])[0]) == [("1.yaml", "1.yaml")]


def test_a_script_named_twice_is_rendered_once(tmp_path):
    path = write(tmp_path / "film.yaml")
    assert len(find_scripts([str(path), str(tmp_path), f"{tmp_path}/*.yaml"])[0]) == 1


def test_names_with_wildcard_characters_are_files_first(tmp_path):
    path = write(tmp_path / "film [1].yaml")
    assert find_scripts([str(path)])[0][0].source == path


@pytest.mark.parametrize("source", ["missing.yaml", "missing/*.yaml", "empty"])
def test_a_source_without_scripts_is_an_error(tmp_path, source):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no such file|holds no script"):
        find_scripts([str(tmp_path / source)])


# --- the pool: tasks run in other processes, so they stand here ------------------------------------------------------


def double(job, tell):
    tell(f"on {job}")
    return 2 * job


def process_id(_job, _tell):
    return os.getpid()


def die(job, _tell):
    if job == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "exit":
        os._exit(3)
    return job


def wait_for_the_end(folder, tell):
    def end(*_):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    try:
        tell("started")
        time.sleep(60)
    finally:
        Path(folder, "cleaned up").touch()


def run(task, jobs, n_workers=1, **callbacks):
    return dict(Pool(task, n_workers, **callbacks).run(jobs))


def test_results_and_messages_belong_to_their_jobs():
    heard, started = {}, []
    results = run(double, [1, 2, 3], 2, on_message=heard.__setitem__, on_start=started.append)
    assert results == {0: 2, 1: 4, 2: 6}
    assert heard == {0: "on 1", 1: "on 2", 2: "on 3"}
    assert sorted(started) == [0, 1, 2]


def test_one_worker_takes_one_job_after_the_other():
    ids = set(run(process_id, range(4)).values())
    assert len(ids) == 1
    assert os.getpid() not in ids


def test_no_more_workers_than_asked_for():
    assert len(set(run(process_id, range(6), 2).values())) <= 2


def test_no_jobs_need_no_workers():
    assert run(double, [], 2) == {}


def test_a_lost_worker_costs_one_job():
    results = run(die, ["killed", "a", "exit", "b"])
    assert results[1] == "a"
    assert results[3] == "b"
    assert isinstance(results[0].error, OutOfMemory)
    assert isinstance(results[2].error, EnvironmentFailed)
    assert "exit code 3" in str(results[2].error)


def test_a_crash_names_its_signal():
    assert "signal 11" in str(WorkerLost(-11).error)


def test_a_busy_worker_is_told_to_end_and_cleans_up(tmp_path):
    pool = Pool(wait_for_the_end, 1)
    results = pool.run([str(tmp_path)])

    def stop(*_):
        raise KeyboardInterrupt

    pool.on_message = stop
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert (tmp_path / "cleaned up").exists()
