"""`background: transparent` from the script to the file: the person alone, whatever the container."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from moee_cli.core.errors import EngineUnavailable, Unavailable
from moee_cli.media import ffmpeg
from moee_cli.media.probe import probe_video
from moee_cli.workflow import plan as planning
from moee_cli.workflow.check import check_file
from moee_cli.workflow.plan import plan
from moee_cli.workflow.provenance import AI_GENERATED, sidecar_path
from moee_cli.workflow.render import render
from moee_cli.workflow.scripts import open_script
from moee_cli.workflow.studio import _mix

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXT = f"""moee: 1
output: [{{path: film.mov}}, {{path: film.webm}}]
frame: {{size: 96x96, background: transparent}}
cast: {{ana: {{portrait: "{EXAMPLES / "ana.png"}"}}, kofi: {{portrait: "{EXAMPLES / "kofi.png"}"}}}}
defaults: {{speaker: ana}}
segments:
  - {{id: a, audio: line.wav, emotion: happiness}}
  - {{id: b, audio: line.wav, speaker: kofi, transition: dissolve 160ms}}
"""


@pytest.fixture
def script(film):
    return open_script(str(film(text=TEXT, seconds=0.4)))


def alpha_of(film):
    """Return the alpha of every picture [n, H, W]."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        is_webm = film.suffix == ".webm"
        decoder = av.CodecContext.create("libvpx-vp9", "r") if is_webm else stream.codec_context
        frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        return np.stack([frame.to_ndarray(format="rgba")[..., 3] for frame in frames]).astype(int)


def test_both_containers_hold_the_person_alone(script, tmp_path):
    result = render(script)
    assert [video.path.name for video in result.videos] == ["film.mov", "film.webm"]
    alphas = [alpha_of(video.path) for video in result.videos]
    for video, alpha in zip(result.videos, alphas, strict=True):
        info = probe_video(video.path)
        assert len(alpha) == info.n_frames == video.n_frames
        assert abs(info.audio_seconds - info.video_seconds) * info.fps < 0.5
        assert AI_GENERATED in info.tags.values()
        assert check_file(str(video.path)).problems == ()
        assert (alpha[:, :4, :4].max(), alpha[:, 48, 48].min()) == (0, 255), "a corner shows, or the face does not"
    assert np.abs(alphas[0] - alphas[1]).mean() < 2


def test_alpha_that_the_sidecar_does_not_know_is_found(script, tmp_path):
    render(script)
    sidecar = sidecar_path(tmp_path / "film.webm")
    sidecar.write_text(sidecar.read_text("utf-8").replace('"transparent"', '"keep"'), "utf-8")
    found = {problem.key: problem.message for problem in check_file(str(tmp_path / "film.webm")).problems}
    assert found == {"sidecar": "says background keep, but the video has alpha"}


def test_an_engine_that_cannot_is_refused_before_anything_is_drawn(script, monkeypatch):
    known = planning.engine_spec(script.engine)
    monkeypatch.setattr(planning, "engine_spec", lambda _: replace(known, draws_transparent=False))
    with pytest.raises(EngineUnavailable, match="motion cannot draw `background: transparent`"):
        plan(script)


def test_a_missing_encoder_is_told_before_anything_is_drawn(script, monkeypatch, tmp_path):
    lacking = ffmpeg._missing_encoders

    def without(executable, needed=("libx264", "aac")):
        return [*lacking(executable, needed), *(name for name in needed if name == "libvpx-vp9")]

    monkeypatch.setattr(ffmpeg, "_missing_encoders", without)
    monkeypatch.setattr("moee_cli.workflow.render.open_studio", None)
    with pytest.raises(Unavailable, match="no encoder libvpx-vp9") as caught:
        render(script)
    assert caught.value.exit_code == 4
    assert not (tmp_path / "film.mov").exists()


def test_dissolves_mix_what_is_seen_and_not_what_is_hidden():
    """Half of an opaque red and nothing is red half seen: mixed straight it would be a dark red."""
    red, nothing = np.full((2, 2, 4), (200, 0, 0, 255), np.uint8), np.zeros((2, 2, 4), np.uint8)
    assert _mix(red, nothing, 0.5)[0, 0].tolist() == [100, 0, 0, 128]
