"""Finding and running ffmpeg."""

import os
import shutil
import stat
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from moee_cli.core.errors import EnvironmentFailed, Unavailable
from moee_cli.media import ffmpeg


def _fake_ffmpeg(folder: Path, body: str) -> Path:
    """Put a Python program named ffmpeg into a folder; it claims the encoders we need."""
    program = folder / "ffmpeg"
    claims = "import sys, time, os\nif '-encoders' in sys.argv: print(' V libx264 x\\n A aac x'); sys.exit(0)\n"
    program.write_text(f"#!{sys.executable}\n{claims}{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _null_graph(duration=0.1):
    import ffmpeg as graph

    return graph.input(f"anullsrc=d={duration}", f="lavfi").output("-", format="null")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no system ffmpeg")
def test_the_system_ffmpeg_is_preferred():
    assert ffmpeg.find_ffmpeg() == Path(shutil.which("ffmpeg"))


def test_the_bundled_one_is_used_without_a_system_ffmpeg(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(ffmpeg.find_ffmpeg()) == imageio_ffmpeg.get_ffmpeg_exe()


def test_the_bundled_one_is_used_when_the_system_ffmpeg_lacks_an_encoder(monkeypatch, tmp_path):
    program = _fake_ffmpeg(tmp_path, "")
    program.write_text(f"#!{sys.executable}\nprint(' A aac x')\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert str(ffmpeg.find_ffmpeg()) == imageio_ffmpeg.get_ffmpeg_exe()


def test_no_ffmpeg_at_all(monkeypatch, tmp_path):
    def none_here():
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none_here)
    with pytest.raises(Unavailable) as caught:
        ffmpeg.find_ffmpeg()
    assert caught.value.exit_code == 4
    assert "imageio-ffmpeg" in caught.value.hint


def test_version(build):
    assert any(character.isdigit() for character in ffmpeg.ffmpeg_version())


def test_run_ends_well_and_failure_says_why(build, tmp_path):
    ffmpeg.run(_null_graph(), "cannot test")
    broken = ffmpeg.file_input(tmp_path / "missing.wav").output("-", format="null")
    with pytest.raises(EnvironmentFailed, match=r"cannot test: .*No such file") as caught:
        ffmpeg.run(broken, "cannot test")
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    "name", ["a b.wav", "it's.wav", 'q"q.wav', "ünï.wav", "new\nline.wav", "-i.wav", "%03d.wav", "a:b.wav"]
)
def test_no_file_name_is_misunderstood(build, wav, tmp_path, name, monkeypatch):
    source = wav(np.zeros(480), name=name)
    monkeypatch.chdir(tmp_path)
    target = Path(f"{name}.flac")
    ffmpeg.run(ffmpeg.file_input(source).output(ffmpeg.file_url(target), format="flac"), "cannot test")
    assert target.stat().st_size > 0


def test_addresses_are_refused(build, tmp_path):
    playlist = tmp_path / "a.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(EnvironmentFailed):
        ffmpeg.run(ffmpeg.file_input(playlist).output("-", format="null"), "cannot test")


def test_a_flood_of_messages_does_not_stop_the_work(monkeypatch, tmp_path):
    _fake_ffmpeg(tmp_path, "for n in range(200_000): print('line', n, file=sys.stderr)")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = ffmpeg.run(_null_graph(), "cannot test")
    assert said.endswith("line 199999")
    assert len(said) < 10_000


def test_a_killed_ffmpeg_is_told(monkeypatch, tmp_path):
    _fake_ffmpeg(tmp_path, "os.kill(os.getpid(), 9)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailed, match=r"killed \(Killed\)"):
        ffmpeg.run(_null_graph(), "cannot test")


def test_a_full_disk_is_told_even_when_ffmpeg_exits_with_0(monkeypatch, tmp_path):
    _fake_ffmpeg(tmp_path, "print('av_interleaved_write_frame(): No space left on device', file=sys.stderr)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailed, match="no space left") as caught:
        ffmpeg.run(_null_graph(), "cannot test")
    assert "free some space" in caught.value.hint


def test_a_reader_that_went_away_is_a_broken_pipe(monkeypatch, tmp_path):
    _fake_ffmpeg(tmp_path, "print('av_interleaved_write_frame(): Broken pipe', file=sys.stderr); sys.exit(1)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokenPipeError):
        ffmpeg.run(_null_graph(), "cannot test")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_no_exception_leaves_a_process(monkeypatch, tmp_path, error):
    _fake_ffmpeg(tmp_path, "time.sleep(60)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(error), ffmpeg.Process(_null_graph(), "cannot test", feed=True) as process:  # noqa: PT012
        pid = process._process.pid
        process.write(np.zeros(100, np.uint8))
        assert _is_alive(pid)
        raise error
    assert not _is_alive(pid)


def test_a_process_that_stops_reading_is_not_waited_for(monkeypatch, tmp_path):
    _fake_ffmpeg(tmp_path, "print('it broke', file=sys.stderr); sys.exit(3)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with (  # noqa: PT012
        pytest.raises(EnvironmentFailed, match="it broke"),
        ffmpeg.Process(_null_graph(), "cannot test", feed=True) as process,
    ):
        for _ in range(100):
            process.write(np.zeros(1 << 20, np.uint8))


def test_ffmpegs_own_report_files_are_not_written(build, monkeypatch, tmp_path):
    monkeypatch.setenv("FFREPORT", f"file={tmp_path / 'report.log'}")
    ffmpeg.run(_null_graph(), "cannot test")
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_some_formats_need_and_is_not_there(monkeypatch, tmp_path):
    program = _fake_ffmpeg(tmp_path, "")
    program.write_text(f"#!{sys.executable}\nprint(' V libx264 x\\n A aac x\\n V prores_ks x')\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    ffmpeg.require_encoders(("prores_ks", "aac"))
    with pytest.raises(Unavailable, match="no encoder libvpx-vp9 and libopus"):
        ffmpeg.require_encoders(("libvpx-vp9", "libopus"))
