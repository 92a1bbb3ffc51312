"""Audio files in, exact samples out."""

import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.errors import AudioError
from moee_cli.core.timebase import FILM_RATE, round_half_up
from moee_cli.core.types import AudioSpan
from moee_cli.media import decoder
from moee_cli.media.decode import probe_audio, read_film, read_mono


def _whole(path: Path) -> AudioSpan:
    info = probe_audio(path)
    return AudioSpan(path, 0, info.n_samples, info.rate)


def _mono(span: AudioSpan, **options) -> np.ndarray:
    return np.concatenate([*read_mono(span, **options), np.zeros(0, np.float32)])


def _film(span: AudioSpan) -> np.ndarray:
    return np.concatenate([*read_film(span), np.zeros((0, 2), np.float32)])


# --- bad files ------------------------------------------------------------------------------------------------------


def test_missing_file(tmp_path):
    with pytest.raises(AudioError, match=r"cannot read .*gone\.wav: No such file"):
        probe_audio(tmp_path / "gone.wav")


def test_folder(tmp_path):
    with pytest.raises(AudioError, match="is a folder"):
        probe_audio(tmp_path)


def test_empty_file(tmp_path):
    (tmp_path / "a.wav").touch()
    with pytest.raises(AudioError, match="is empty"):
        probe_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.txt"])
def test_text_is_not_audio(tmp_path, name):
    path = tmp_path / name
    path.write_text("This is a text file, not a recording. " * 100)
    with pytest.raises(AudioError, match=r"not an audio file|holds no sound"):
        probe_audio(path)


def test_random_bytes(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(np.random.default_rng(1).bytes(100_000))
    with pytest.raises(AudioError):
        probe_audio(path)


def test_no_sound_in_a_wav(wav):
    with pytest.raises(AudioError, match="holds no sound"):
        probe_audio(wav(np.zeros(0)))


def test_picture_without_sound(tmp_path, convert):
    source = Path(__file__).parents[2] / "examples" / "ana.png"
    with pytest.raises(AudioError, match="not an audio file"):
        probe_audio(source)
    video = convert(source, "a.mp4", "-frames:v", "3", "-vf", "scale=64:64", "-pix_fmt", "yuv420p")
    with pytest.raises(AudioError, match="has no sound"):
        probe_audio(video)


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\na.wav\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile a.wav\n"])
def test_playlists_are_refused(wav, tmp_path, text):
    wav(np.zeros(1000))
    path = tmp_path / "list.m3u8"
    path.write_text(text)
    with pytest.raises(AudioError, match="not an audio file"):
        probe_audio(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(wav):
    path = wav(np.zeros(10))
    path.chmod(0)
    with pytest.raises(AudioError, match="Permission denied"):
        probe_audio(path)


def test_a_cut_off_wav_gives_what_is_there_and_a_warning(wav, noise):
    path = wav(noise(48000))
    path.write_bytes(path.read_bytes()[:-60_000])
    info = probe_audio(path)
    assert info.n_samples == 48000 - 30_000
    assert any("cut off" in warning for warning in info.warnings)
    assert len(_mono(_whole(path), rate=48000)) == info.n_samples


@pytest.mark.parametrize(("name", "options"), [("a.flac", ()), ("a.m4a", ("-movflags", "+faststart"))])
def test_a_cut_off_compressed_file_too(wav, convert, noise, name, options):
    path = convert(wav(noise(96_000)), name, *options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    info = probe_audio(path)
    assert 50_000 < info.n_samples < 70_000
    assert any("cut off" in warning for warning in info.warnings)
    assert len(_mono(_whole(path), rate=48000)) == info.n_samples


def test_a_damaged_mp3_plays_past_the_damage(wav, convert, noise):
    path = convert(wav(noise(96000)), "a.mp3")
    whole = probe_audio(path).n_samples
    data = bytearray(path.read_bytes())
    data[4000:9000] = bytes(5000)
    path.write_bytes(data)
    info = probe_audio(path)
    assert whole // 2 < info.n_samples < whole
    assert "damaged" in info.warnings[0]
    assert not any("cut off" in warning for warning in info.warnings)
    assert len(_mono(_whole(path), rate=48000)) == info.n_samples


def test_a_cut_off_m4a_is_not_audio(wav, convert, noise):
    path = convert(wav(noise(96000)), "a.m4a")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(AudioError):
        probe_audio(path)


# --- what a file holds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"])
def test_every_sample_format_gives_the_same_sound(wav, convert, codec, noise):
    original = noise(4000)
    path = convert(wav(original, 16000), "b.wav", "-c:a", codec)
    info = probe_audio(path)
    assert (info.rate, info.channels, info.n_samples, info.codec) == (16000, 1, 4000, codec)
    error = np.abs(_mono(_whole(path)) - original[:, 0]).max()
    assert error < (1 / 100 if codec == "pcm_u8" else 1 / 30000)


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp3", ()), ("a.m4a", ()), ("a.ogg", ("-c:a", "libvorbis")), ("a.flac", ()), ("a.mp4", ()), ("a.opus", ())],
)
def test_lossy_files_count_what_they_yield(wav, convert, name, options, noise):
    path = convert(wav(noise(100_000, 2)), name, *options)
    info = probe_audio(path)
    assert abs(info.n_samples - 100_000) < 1024
    assert info.channels == 2
    assert info.warnings == ()
    whole = _mono(_whole(path), rate=info.rate)
    assert len(whole) == info.n_samples
    for start, stop in [(0, 1), (70_001, 80_000), (5, 60_000), (info.n_samples - 3, info.n_samples), (60_000, 70_001)]:
        assert np.array_equal(_mono(AudioSpan(path, start, stop, info.rate), rate=info.rate), whole[start:stop])


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.ogg", "a.flac"])
def test_a_click_stays_where_it_is(wav, convert, name):
    original = np.zeros(48000)
    original[[12_000, 40_000]] = 0.9
    path = convert(wav(original), name, *(["-c:a", "libvorbis"] if name == "a.ogg" else []))
    sound = np.abs(_mono(_whole(path), rate=48000))
    assert abs(int(sound[:24_000].argmax()) - 12_000) <= 1
    assert abs(24_000 + int(sound[24_000:].argmax()) - 40_000) <= 1


@pytest.mark.parametrize("name", ["long.wav", "long.flac", "long.w64", "long.aiff"])
def test_seeking_is_exact(wav, convert, name, noise):
    path = convert(wav(noise(16000 * 40), 16000, "x.wav"), name)
    whole = _mono(_whole(path))
    for start in (16000 * 30 + 7, 16000 * 15, 16000 * 39 + 15_999, 16000 * 25 + 1):
        stop = min(start + 5000, 16000 * 40)
        assert np.array_equal(_mono(AudioSpan(path, start, stop, 16000)), whole[start:stop])


def test_names(wav, noise):
    for name in ("a b.wav", 'it\'s "x".wav', "ünï-日本.wav", "new\nline.wav", "-dash.wav", "%d.wav", "http:x.wav"):
        assert probe_audio(wav(noise(1000), name=name)).n_samples == 1000


def test_relative_names_that_look_like_options_or_addresses(wav, monkeypatch, tmp_path, noise):
    wav(noise(1000), name="-i.wav")
    monkeypatch.chdir(tmp_path)
    assert probe_audio(Path("-i.wav")).n_samples == 1000


@pytest.mark.parametrize(
    ("gain", "rate", "words"),
    [
        (0, 16000, "silent"),
        (20, 16000, "clipped"),
        (1, 8000, "8000 Hz"),
    ],
)
def test_warnings(wav, noise, gain, rate, words):
    (warning,) = probe_audio(wav(gain * noise(8000), rate)).warnings
    assert words in warning


def test_a_file_is_measured_again_when_it_changes(wav, noise):
    assert probe_audio(wav(noise(1000))).n_samples == 1000
    assert probe_audio(wav(noise(1500))).n_samples == 1500


def test_nan_and_infinity_do_not_spread(tmp_path, noise):
    samples = noise(4000)[:, 0].astype("<f4")
    samples[[100, 200, 300]] = np.nan, np.inf, 1e30
    path = tmp_path / "f.wav"
    header = b"RIFF" + (36 + samples.nbytes).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += (3).to_bytes(2, "little") + (1).to_bytes(2, "little") + (16000).to_bytes(4, "little")
    header += (64000).to_bytes(4, "little") + (4).to_bytes(2, "little") + (32).to_bytes(2, "little")
    path.write_bytes(header + b"data" + samples.nbytes.to_bytes(4, "little") + samples.tobytes())
    sound = _film(_whole(path))
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 10


# --- channels -------------------------------------------------------------------------------------------------------


def test_mono_is_heard_on_both_sides(wav, noise):
    sound = _film(_whole(wav(noise(1000))))
    assert np.array_equal(sound[:, 0], sound[:, 1])


def test_stereo_stays_and_its_mean_is_mono(wav, noise):
    original = noise(1000, 2)
    path = wav(original)
    assert np.allclose(_film(_whole(path)), original, atol=1e-4)
    assert np.allclose(_mono(_whole(path), rate=48000), original.mean(axis=1), atol=1e-4)


@pytest.mark.parametrize(
    ("channel", "left", "right"), [(0, 1, 0), (1, 0, 1), (2, 0.7071, 0.7071), (3, 0, 0), (4, 0.7071, 0), (5, 0, 0.7071)]
)
def test_five_point_one_is_mixed_down(wav, convert, channel, left, right, noise):
    original = np.zeros((2000, 6), np.float32)
    original[:, channel] = noise(2000)[:, 0]
    path = convert(wav(original), "51.wav", "-af", "aformat=channel_layouts=5.1", "-c:a", "pcm_s16le")
    assert probe_audio(path).channels == 6
    sound = _film(_whole(path)) * (1 + 2 * 0.7071)
    assert np.allclose(sound[:, 0], left * original[:, channel], atol=2e-4)
    assert np.allclose(sound[:, 1], right * original[:, channel], atol=2e-4)


# --- resampling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("n_samples", [1, 2, 799, 12_345])
def test_lengths_are_exact_at_every_rate(wav, rate, n_samples, noise):
    span = _whole(wav(noise(n_samples), rate))
    assert len(_mono(span)) == round_half_up(Fraction(n_samples * 16000, rate))
    assert len(_film(span)) == round_half_up(Fraction(n_samples * FILM_RATE, rate))


def test_a_tone_keeps_pitch_level_and_phase(wav):
    time = np.arange(44100) / 44100
    span = _whole(wav(0.5 * np.sin(2 * np.pi * 440 * time), 44100))
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    assert np.abs(_mono(span) - expected)[200:-200].max() < 1e-4


def test_a_span_depends_on_its_own_samples_only(wav, noise):
    quiet, loud = noise(44100), noise(44100)
    loud[:10_000] = loud[20_000:] = 0.9
    a = AudioSpan(wav(quiet, 44100, "a.wav"), 10_000, 20_000, 44100)
    b = AudioSpan(wav(loud, 44100, "b.wav"), 10_000, 20_000, 44100)
    assert np.array_equal(_mono(a), _mono(b))
    assert np.array_equal(_film(a), _film(b))


def test_blocks_have_the_wanted_size(wav, noise):
    span = _whole(wav(noise(48000), 44100))
    blocks = list(read_mono(span, block=640))
    assert {len(block) for block in blocks[:-1]} == {640}
    assert np.array_equal(np.concatenate(blocks), _mono(span))


def test_a_file_that_shrank_or_changed_its_rate_is_an_error(wav, noise):
    path = wav(noise(1000))
    with pytest.raises(AudioError, match="changed"):
        _mono(AudioSpan(path, 500, 1001, 48000))
    with pytest.raises(AudioError, match="changed"):
        _mono(AudioSpan(path, 0, 500, 44100))
    path.unlink()
    with pytest.raises(AudioError, match="cannot read"):
        _mono(AudioSpan(path, 0, 500, 48000))


# --- long files -----------------------------------------------------------------------------------------------------


def test_spans_in_order_decode_an_mp3_once(wav, convert, monkeypatch, noise):
    path = convert(wav(noise(480_000)), "a.mp3")
    total = probe_audio(path).n_samples
    decoded = []
    source = decoder.Decoder._decode

    def counting(self):
        for frame in source(self):
            decoded.append(frame.samples)
            yield frame

    monkeypatch.setattr(decoder.Decoder, "_decode", counting)
    for start in range(0, total, 10_000):
        _mono(AudioSpan(path, start, min(start + 10_000, total), 48000))
    assert sum(decoded) == total


def test_two_readers_of_one_file_do_not_disturb_each_other(wav, convert, noise):
    path = convert(wav(noise(200_000)), "a.mp3")
    whole = _mono(_whole(path), rate=48000)
    pairs = zip(
        read_mono(AudioSpan(path, 0, 90_000, 48000), rate=48000, block=1000),
        read_mono(AudioSpan(path, 5000, 95_000, 48000), rate=48000, block=1000),
        strict=True,
    )
    first, second = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    assert np.array_equal(first, whole[:90_000])
    assert np.array_equal(second, whole[5000:95_000])


def test_a_reader_that_is_dropped_does_not_spoil_the_next(wav, convert, noise):
    path = convert(wav(noise(200_000)), "a.mp3")
    whole = _mono(_whole(path), rate=48000)
    abandoned = read_mono(AudioSpan(path, 1000, 150_000, 48000), rate=48000, block=500)
    next(abandoned)
    abandoned.close()
    assert np.array_equal(_mono(AudioSpan(path, 2000, 9000, 48000), rate=48000), whole[2000:9000])


def test_memory_is_flat_in_the_length(tmp_path):
    """Ten minutes of 48 kHz stereo float would be 230 MB in memory at once."""
    script = """
import resource, sys, wave
from pathlib import Path
from moee_cli.core.types import AudioSpan
from moee_cli.media.decode import probe_audio, read_mono
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
def go(seconds):
    path = Path(sys.argv[1]) / f"{seconds}.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48000, 0, "NONE", ""))
        for _ in range(seconds): file.writeframes(bytes(192000))
    info = probe_audio(path)
    assert info.n_samples == seconds * 48000
    assert sum(map(len, read_mono(AudioSpan(path, 0, info.n_samples, 48000)))) == seconds * 16000
    return peak()
short = go(5)
print(go(600) - short)
"""
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 20
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
