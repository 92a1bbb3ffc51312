"""The film's sound track: every sample where it belongs."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from moee_cli.core.errors import AudioError, EnvironmentFailed, OutputError
from moee_cli.core.timebase import sample_of_frame
from moee_cli.core.types import AudioSpan, Timeline
from moee_cli.media.decode import probe_audio, read_film
from moee_cli.media.sound import write_sound

NTSC = Fraction(30000, 1001)
ALL_FPS = [Fraction(25), Fraction(30), NTSC, Fraction(24000, 1001), Fraction(60000, 1001)]


def _whole(path):
    info = probe_audio(path)
    return AudioSpan(path, 0, info.n_samples, info.rate)


def _written(timeline, folder, **options):
    path = folder / "film.pcm"
    n_samples = write_sound(timeline, path, **options)
    assert [file.name for file in folder.iterdir() if file.name.startswith(".")] == []
    track = np.fromfile(path, "<f4").reshape(-1, 2)
    assert len(track) == n_samples == sample_of_frame(timeline.n_frames, timeline.fps)
    return track


@pytest.mark.parametrize("fps", ALL_FPS)
def test_every_line_starts_on_its_sample_and_silence_is_silent(wav, film, tmp_path, fps):
    click = np.zeros(30_011)
    click[0] = 0.9
    span = _whole(wav(click))
    timeline = film([3, span, span, 1, span, span, 2], fps)
    track = _written(timeline, tmp_path)
    starts = [sample_of_frame(s.start_frame, fps) for s in timeline.segments if s.audio]
    assert np.flatnonzero(track[:, 0]).tolist() == starts
    assert np.array_equal(track[:, 0], track[:, 1])


def test_the_track_holds_the_samples_of_the_files(wav, film, tmp_path, noise):
    a, b = _whole(wav(noise(44_100, 2), 44100, "a.wav")), _whole(wav(noise(5000, 1, 1), 8000, "b.wav"))
    timeline = film([a, 10, b], Fraction(25))
    track = _written(timeline, tmp_path)
    for segment in (timeline.segments[0], timeline.segments[2]):
        expected = np.concatenate(list(read_film(segment.audio)))
        start = sample_of_frame(segment.start_frame, timeline.fps)
        assert np.array_equal(track[start : start + len(expected)], expected)


@pytest.mark.parametrize("rate", [44100, 48000])
def test_lines_that_continue_each_other_have_no_seam(wav, line, tmp_path, noise, rate):
    path = wav(noise(rate * 3), rate)
    cuts = [0, rate // 3, rate + 7, rate * 2 + 1, rate * 3]
    spans = [AudioSpan(path, a, b, rate) for a, b in pairwise(cuts)]
    frames = [round(cut / rate * NTSC) for cut in cuts[:-1]] + [90]
    segments = [
        line(span, start, stop - start, NTSC, continues=start > 0)
        for span, start, stop in zip(spans, frames, frames[1:], strict=False)
    ]
    track = _written(Timeline(NTSC, tuple(segments), ()), tmp_path)
    whole = np.concatenate(list(read_film(_whole(path))))
    assert np.array_equal(track[: len(whole)], whole)
    assert not track[len(whole) :].any()


def test_a_cut_inside_a_file_does_not_click(wav, film, tmp_path):
    tone = 0.8 * np.sin(np.arange(48_000) * 2 * np.pi * 100 / 48_000 + np.pi / 2)
    path = wav(tone)
    track = _written(film([AudioSpan(path, 9600, 28_800, 48_000), 5], Fraction(25)), tmp_path)[:, 0]
    steps = np.abs(np.diff(track, prepend=0.0))
    assert steps.max() < 0.05
    assert np.allclose(track[200:19_000], tone[9800:28_600], atol=1e-4)
    uncut = _written(film([_whole(path)], Fraction(25)), tmp_path)[:, 0]
    assert np.allclose(uncut, tone, atol=1e-4)


def test_sound_longer_than_its_frames_does_not_reach_into_the_next_line(wav, line, tmp_path, noise):
    path = wav(noise(48_000))
    segments = (
        line(AudioSpan(path, 0, 20_000, 48_000), 0, 10, Fraction(25)),
        line(None, 10, 5, Fraction(25)),
    )
    track = _written(Timeline(Fraction(25), segments, ()), tmp_path)
    assert track[19_199].any()
    assert not track[19_200:].any()


def test_an_empty_film_has_an_empty_track(tmp_path):
    assert write_sound(Timeline(Fraction(25), (), ()), tmp_path / "film.pcm", loudness_lufs=-16) == 0


@pytest.mark.parametrize("amplitude", [0.02, 0.9])
def test_loudness_reaches_its_target(build, wav, film, tmp_path, amplitude):
    """A 997 Hz sine on both channels is as loud in LUFS as its amplitude in dB (ITU-R BS.1770-4)."""
    tone = amplitude * np.sin(np.arange(96_000) * 2 * np.pi * 997 / 48_000)
    track = _written(film([_whole(wav(tone))], NTSC), tmp_path, loudness_lufs=-20.0)
    assert np.abs(track[10_000:90_000]).max() == pytest.approx(0.1, rel=0.02)


def test_loudness_keeps_the_balance_and_the_places(build, wav, film, tmp_path, noise):
    loud, quiet = noise(48_000), 0.25 * noise(48_000)
    spans = [_whole(wav(loud, name="a.wav")), 20, _whole(wav(quiet, name="b.wav"))]
    plain = _written(film(spans, Fraction(25)), tmp_path)
    track = _written(film(spans, Fraction(25)), tmp_path, loudness_lufs=-23.0)
    gain = track[1000, 0] / plain[1000, 0]
    assert gain != pytest.approx(1.0, rel=0.01)
    assert np.allclose(track, gain * plain, atol=1e-4)


def test_peaks_are_limited_without_moving_anything(build, wav, film, tmp_path, noise):
    sound = 0.3 * noise(96_000)[:, 0]
    sound[[30_000, 70_000]] = 0.9
    track = np.abs(_written(film([_whole(wav(sound))], Fraction(25)), tmp_path, loudness_lufs=-14.0)[:, 0])
    assert track.max() <= 10 ** (-1.5 / 20) + 1e-4
    assert int(track[:50_000].argmax()) == 30_000
    assert 50_000 + int(track[50_000:].argmax()) == 70_000
    assert np.median(track) > 2 * np.median(np.abs(sound))


def test_a_silent_film_stays_silent(build, wav, film, tmp_path):
    assert not _written(film([_whole(wav(np.zeros(48_000)))], Fraction(25)), tmp_path, loudness_lufs=-16.0).any()


def test_a_file_that_vanished_leaves_nothing(wav, film, tmp_path, noise):
    path = wav(noise(1000))
    timeline = film([_whole(path)], Fraction(25))
    path.unlink()
    with pytest.raises(AudioError):
        write_sound(timeline, tmp_path / "film.pcm")
    assert list(tmp_path.iterdir()) == []


def test_no_folder(wav, film, tmp_path, noise):
    with pytest.raises(OutputError, match="no folder"):
        write_sound(film([_whole(wav(noise(1000)))], Fraction(25)), tmp_path / "gone" / "film.pcm")


def test_ffmpeg_failing_at_the_loudness_leaves_nothing(wav, film, tmp_path, noise, monkeypatch):
    path = wav(noise(48_000))
    monkeypatch.setattr("moee_cli.media.sound._measure", lambda *_: (-30.0, -20.0))
    monkeypatch.setattr("moee_cli.media.sound.ffmpeg.run", lambda *_: "")
    with pytest.raises(EnvironmentFailed, match="bytes came back"):
        write_sound(film([_whole(path)], Fraction(25)), tmp_path / "film.pcm", loudness_lufs=-16.0)
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


def test_a_full_disk_leaves_nothing(run_limited, tmp_path, wav, noise):
    wav(noise(96_000))
    ran = run_limited(
        """
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from moee_cli.core.errors import EnvironmentFailed
from moee_cli.core.types import *
from moee_cli.media.sound import write_sound
folder = Path(sys.argv[1])
span = AudioSpan(folder / "a.wav", 0, 96_000, 48_000)
cut = TransitionKind.CUT
segment = Segment("a", 1, "a", span, False, 0, 51, Fraction(0), Fraction(2), 0, cut, 0, 0, 0, (), Controls())
try:
    write_sound(Timeline(Fraction(25), (segment,), ()), folder / "film.pcm")
except EnvironmentFailed as error:
    print(error.hint)
""",
        400_000,
    )
    assert "free some space" in ran.stdout, ran.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]
