"""Whole renders, small: lengths, bytes, parts of films, dissolves, and what is left behind."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from moee_cli.core.errors import EngineUnavailable, EnvironmentFailed, OutputError, UsageError
from moee_cli.core.progress import Silent
from moee_cli.media.encode import PieceWriter
from moee_cli.media.probe import probe_video, read_frames
from moee_cli.store.paths import cache_folder
from moee_cli.workflow.plan import plan
from moee_cli.workflow.provenance import read_sidecar, sidecar_path
from moee_cli.workflow.render import render
from moee_cli.workflow.scripts import open_script

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = f"""moee: 1
output: film.mp4
frame: {{size: 128x128}}
cast:
  ana: {{portrait: "{EXAMPLES / "ana.png"}", consent: nobody is shown}}
  kofi: {{portrait: "{EXAMPLES / "kofi.png"}"}}
defaults: {{speaker: ana}}
segments:
"""
LINES = (
    "{id: a, audio: line.wav, emotion: happiness}",
    "{id: b, audio: line.wav, emotion: anger, intensity: 1}",
    "{pause: 200ms}",
    "{id: c, audio: line.wav, speaker: kofi, emotion: fear, transition: dissolve 160ms}",
)


@pytest.fixture
def script(film):
    def make(*lines, head=HEAD, seconds=0.4, **given):
        text = head + "".join(f"  - {line}\n" for line in lines or LINES)
        return open_script(str(film(text=text, seconds=seconds)), **given)

    return make


def pictures(path):
    return np.stack(list(read_frames(path)))


@pytest.mark.parametrize("fps", ["25", "30", "29.97", "12"])
def test_picture_and_sound_are_equally_long(script, fps):
    result = render(script(head=HEAD.replace("128x128", f"128x128, fps: {fps}")))
    info = probe_video(result.output)
    assert info.n_frames == result.n_frames
    assert info.even_spacing
    assert info.video_start == info.audio_start == 0
    assert abs(info.audio_seconds - info.video_seconds) < Fraction(1, 1000)
    assert (info.codec, info.pix_fmt, info.width, info.height) == ("h264", "yuv420p", 128, 128)


def test_same_script_same_bytes(script, tmp_path):
    first = render(script(), output=tmp_path / "one.mp4").output.read_bytes()
    assert render(script(), output=tmp_path / "two.mp4").output.read_bytes() == first
    other = render(script(seed=8), output=tmp_path / "three.mp4").output.read_bytes()
    assert other != first


def test_parts_equal_the_whole(script, tmp_path):
    whole = pictures(render(script()).output)
    part = render(script(), only=["b", "c"])
    assert part.output == tmp_path / "film.b+c.mp4"
    shown = pictures(part.output)
    timeline = plan(script()).timeline
    wanted = [
        whole[segment.start_frame : segment.stop_frame] for segment in timeline.segments if segment.id in ("b", "c")
    ]
    np.testing.assert_array_equal(shown, np.concatenate(wanted))
    assert (tmp_path / "film.mp4").exists()


def test_a_dissolve_mixes_both_speakers(script):
    timeline = plan(script()).timeline
    cut = timeline.segments[-1].start_frame
    half = timeline.segments[-1].handle_before
    assert half == 2
    frames = pictures(render(script()).output).astype(float)
    ana, kofi = frames[0].mean((0, 1)), frames[-1].mean((0, 1))
    shares = [(frame.mean((0, 1)) - ana) @ (kofi - ana) / ((kofi - ana) @ (kofi - ana)) for frame in frames]
    inside = shares[cut - half : cut + half]
    assert all(earlier < later for earlier, later in pairwise(inside))
    assert shares[cut - half - 1] < 0.1 < inside[1] < 0.5 < inside[2] < 0.9 < shares[cut + half + 1]


def test_a_wide_and_a_vertical_frame(script):
    for size in ("224x128", "128x224"):
        info = probe_video(render(script(LINES[0], head=HEAD.replace("128x128", size)), force=True).output)
        assert f"{info.width}x{info.height}" == size


def test_fit_pad_shows_the_whole_picture(script):
    head = HEAD.replace("{size: 128x128}", "{size: 224x128, fit: pad}")
    assert probe_video(render(script(LINES[0], head=head)).output).width == 224


def test_the_output_says_what_it_is(script):
    result = render(script())
    assert "AI-generated" in probe_video(result.output).tags["comment"]
    sidecar = read_sidecar(result.output)
    assert sidecar["ai_generated"] is True
    assert sidecar["n_frames"] == result.n_frames
    assert sidecar["cast"]["ana"]["consent"] == "nobody is shown"
    assert [segment["id"] for segment in sidecar["segments"]] == ["a", "b", "b~pause", "c"]
    text = sidecar_path(result.output).read_text()
    assert str(result.output.parent) not in text
    assert str(EXAMPLES) not in text


def test_our_own_output_is_overwritten_and_no_other(script, tmp_path):
    output = render(script()).output
    before = output.read_bytes()
    render(script(seed=3))
    assert output.read_bytes() != before
    foreign = tmp_path / "holiday.mp4"
    foreign.write_bytes(b"precious")
    with pytest.raises(OutputError, match="not made from this script"):
        render(script(), output=foreign)
    assert foreign.read_bytes() == b"precious"
    render(script(), output=foreign, force=True)
    assert probe_video(foreign).n_frames


def test_inputs_are_never_overwritten(script, tmp_path):
    recording = tmp_path / "line.mp4"
    opened = script(LINES[0])
    recording.write_bytes((tmp_path / "line.wav").read_bytes())
    talking = replace(opened, lines=tuple(replace(line, audio=recording) for line in opened.lines))
    before = recording.read_bytes()
    for force in (False, True):
        with pytest.raises(OutputError, match="is an input of this script"):
            render(talking, output=recording, force=force)
    link = tmp_path / "link.mp4"
    link.symlink_to(recording)
    with pytest.raises(OutputError, match="is an input"):
        render(talking, output=link, force=True)
    assert recording.read_bytes() == before


def test_the_background_is_an_input_and_named_without_its_folder(script, tmp_path):
    wall = tmp_path / "wall.mp4"
    precious = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    wall.write_bytes(precious)
    opened = script(LINES[0], head=HEAD.replace("128x128", "128x128, background: ./wall.mp4"))
    with pytest.raises(OutputError, match="is an input of this script"):
        render(opened, output=wall, force=True)
    assert wall.read_bytes() == precious
    assert plan(opened).as_dict()["frame"]["background"] == "wall.mp4"
    coloured = script(LINES[0], head=HEAD.replace("128x128", "128x128, background: white"))
    assert read_sidecar(render(coloured).output)["frame"]["background"] == "#ffffff"


def test_a_sidecar_that_cannot_be_written_is_found_first(script, tmp_path):
    (tmp_path / "film.mp4.moee.json").mkdir()
    with pytest.raises(OutputError, match=r"moee\.json"):
        render(script())
    assert not (tmp_path / "film.mp4").exists()
    with pytest.raises(OutputError):
        render(script(), output=tmp_path / f"{'n' * 248}.mp4")


def test_a_foreign_file_in_the_sidecars_place_is_kept(script, tmp_path):
    foreign = tmp_path / "film.mp4.moee.json"
    foreign.write_text('{"mine": 1}')
    with pytest.raises(OutputError, match="not a sidecar"):
        render(script())
    assert foreign.read_text() == '{"mine": 1}'
    render(script(), force=True)
    assert "moee_sidecar" in foreign.read_text()


def test_folders_made_for_a_render_that_fails_are_removed(script, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        render(script(), output=tmp_path / "new" / "deep" / "film.mp4", progress=StopAt(9))
    assert not (tmp_path / "new").exists()
    assert render(script(LINES[0]), output=tmp_path / "new" / "deep" / "film.mp4").output.exists()


def test_long_segments_are_cut_into_pieces_and_come_out_whole(script):
    told = Recorder()
    result = render(
        script("{id: a, audio: line.wav}", head=HEAD.replace("128x128", "64x64"), seconds=21), progress=told
    )
    assert len([name for name, _ in told.events if name == "piece"]) == 3
    assert probe_video(result.output).n_frames == 525 == told.frames


class Recorder(Silent):
    def __init__(self):
        self.events, self.frames, self.stage = [], 0, ""

    def start(self, stage, total=None, unit="frames"):
        self.stage = stage

    def advance(self, n=1):
        self.frames += n * (self.stage == "draw")

    def event(self, name, **fields):
        self.events.append((name, fields))


class StopAt(Silent):
    """Raises an interrupt, as Ctrl-C does, at the nth thing it is told."""

    def __init__(self, n):
        self.left = n

    def _count(self):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def start(self, stage, total=None, unit="frames"):
        self._count()

    def advance(self, n=1):
        self._count()

    def event(self, name, **fields):
        self._count()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, 17, 18, 30, 40])
def test_an_interrupt_leaves_nothing_behind(script, tmp_path, n):
    with pytest.raises(KeyboardInterrupt):
        render(script(), progress=StopAt(n))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.yaml", "line.wav"]
    assert not list((cache_folder() / "work").iterdir())


def test_an_interrupt_keeps_the_earlier_output(script, tmp_path):
    before = render(script()).output.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        render(script(seed=2), progress=StopAt(20))
    assert (tmp_path / "film.mp4").read_bytes() == before


def test_ffmpeg_dying_in_the_middle_is_one_error(script, tmp_path, monkeypatch):
    written = PieceWriter.write

    def killed(self, pixels):
        if self.n_frames == 3:
            self._process._process.kill()
            self._process._process.wait()
        written(self, pixels)

    monkeypatch.setattr(PieceWriter, "write", killed)
    with pytest.raises(EnvironmentFailed):
        render(script())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.yaml", "line.wav"]


def test_without_an_output_the_video_lies_beside_the_script(script, tmp_path):
    nameless = HEAD.replace("output: film.mp4\n", "")
    assert render(script(LINES[0], head=nameless)).output == tmp_path / "film.mp4"


def test_a_script_from_standard_input_needs_an_output(script):
    opened = script()
    nowhere = replace(opened.outputs[0], path=None)
    with pytest.raises(UsageError, match="names no output"):
        render(replace(opened, path=None, outputs=(nowhere,)))


def test_an_engine_refuses_a_device_it_does_not_run_on(script):
    with pytest.raises(EngineUnavailable, match="does not run on cuda"):
        render(script(), device="cuda")
