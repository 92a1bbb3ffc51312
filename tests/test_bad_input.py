"""What users really have: every case has one clear error, its exit code, and leaves nothing under the output's name."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time
import wave
from pathlib import Path

import cv2
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
ROOT = Path(__file__).parents[1]


def script(segments="[{id: a, audio: line.wav}]", *, portrait=EXAMPLES / "ana.png", extra="", face=""):
    return (
        f"moee: 1\noutput: film.mp4\npreset: draft\nframe: {{size: 128x128}}\n{extra}"
        f'cast: {{ana: {{portrait: "{portrait}"{face}}}}}\nsegments: {segments}\n'
    )


@pytest.fixture
def fails(moee, film, tmp_path):
    """Render a script that must fail: exit code, one `error:` block with these words, nothing left behind."""

    def check(text, code, *words, prepare=lambda folder: None, arguments=()):
        path = film(text=text if isinstance(text, str) else script())
        if isinstance(text, bytes):
            path.write_bytes(text)
        prepare(tmp_path)
        before = {entry.name for entry in tmp_path.iterdir()}
        result = moee("render", path, "--progress", "none", *arguments)
        assert result.code == code, result.err
        assert result.out == ""
        assert "error: " in result.err
        assert "Traceback" not in result.err
        for word in words:
            assert word in result.err, result.err
        assert {entry.name for entry in tmp_path.iterdir()} == before
        return result.err

    return check


# --- scripts --------------------------------------------------------------------------------------------------------

BROKEN_SCRIPTS = {
    "empty": ("", "empty"),
    "only a comment": ("# nothing\n", "empty"),
    "a list": ("- a\n- b\n", "list"),
    "a tab": ("moee: 1\nsegments:\n\t- audio: line.wav\n", ":3:1", "tab"),
    "a duplicate key": (script(extra="seed: 1\nseed: 2\n"), ":6:1", "seed"),
    "an unknown key": (script(extra="sead: 1\n"), ":5:1", 'did you mean "seed"'),
    "an unknown emotion": (script("[{audio: line.wav, emotion: hapiness}]"), "segments[0].emotion", "happiness"),
    "a wrong type": (script(extra="seed: many\n"), "seed", "many"),
    "a negative time": (script("[{audio: line.wav, from: -1s}]"), "segments[0].from"),
    "a reversed time": (script("[{audio: line.wav, from: 0.3s, to: 0.1s}]"), "segments[0]"),
    "a time beyond the end": (script("[{audio: line.wav, to: 17s}]"), "segments[0].to", "0.400 s long"),
    "weights above 1": (script("[{audio: line.wav, emotion: {anger: 0.9, fear: 0.9}}]"), "1.8", "anger: 0.5"),
    "emotion and prompt": (script("[{audio: line.wav, emotion: fear, prompt: x}]"), "prompt"),
    "one id twice": (script("[{audio: line.wav}, {audio: line.wav}]"), "segments[1]", "line"),
    "no segments": (script("[]"), "segments"),
    "a missing variable": (script('[{audio: "${no}/line.wav"}]'), "${no}"),
    "a newer format": (script().replace("moee: 1", "moee: 7"), "needs moee >="),
    "an unknown speaker": (script("[{audio: line.wav, speaker: bob}]"), "bob"),
    "a remote file": (script("[{audio: 'https://example.org/a.wav'}]"), "https://example.org/a.wav"),
    "a playlist": (script("[{audio: 'concat:a.wav|b.wav'}]"), "concat:"),
    "an unknown engine": (script(extra="engine: moton\n"), 'did you mean "motion"'),
    "an unknown option": (script(extra="engines: {motion: {stepz: 3}}\n"), "stepz"),
}


@pytest.mark.parametrize("case", BROKEN_SCRIPTS)
def test_broken_scripts(fails, case):
    text, *words = BROKEN_SCRIPTS[case]
    fails(text, 3, *words)


def test_every_problem_of_a_script_at_once(fails):
    err = fails(script("[{audio: no.wav, intensity: 7}, {audio: line.wav, emotion: hapiness}]", extra="sead: 1\n"), 3)
    assert err.count("error: ") == 4


def test_an_anchor_bomb_is_refused(fails):
    levels = "".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    fails(f"x-0: &a0 [1]\n{levels}{script()}", 3, "anchors repeat too much")


def test_a_deeply_nested_script_is_refused(fails):
    fails("moee: 1\nx-a: " + "[" * 5000 + "]" * 5000 + "\n", 3)


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02\xff" * 50, "moee: 1\n".encode("utf-16"), b"moee: 1\nvars: {a: \xe4}\n"]
)
def test_a_script_that_is_no_utf8(fails, content):
    fails(content, 3)


def test_a_script_that_is_missing_or_a_folder(moee, tmp_path):
    assert moee("render", tmp_path / "no.yaml").code == 3
    assert moee("render", tmp_path).code == 3


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (script("[{audio: line.wav, emotion: auto}]"), "emotion: auto"),
        (script("[{audio: line.wav, prompt: holding back tears}]"), "prompt"),
        (script(extra="captions: {write: [srt]}\n"), "captions"),
        (script(extra="matrix: {lang: [de, fr]}\n"), "matrix"),
        (script(extra="engine: dice-talk\n"), "dice-talk"),
    ],
)
def test_what_is_to_come_is_refused_with_a_sentence(fails, text, word):
    fails(text, 4, word, "not in this release")


# --- audio ----------------------------------------------------------------------------------------------------------


def write_wave(path, samples, rate=16_000, channels=1, width=2):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples)


BROKEN_AUDIO = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("this is no sound"),
    "0 seconds": lambda path: write_wave(path, b""),
    "a picture": lambda path: shutil.copy(EXAMPLES / "ana.png", path),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "half a header": lambda path: path.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt "),
}


@pytest.mark.parametrize("case", BROKEN_AUDIO)
def test_broken_audio(fails, case):
    err = fails(
        script(), 3, "line.wav", "segments[0].audio", prepare=lambda folder: BROKEN_AUDIO[case](folder / "line.wav")
    )
    assert err.count("error: ") == 1


def tone(rate, seconds=0.4):
    return 0.5 * np.sin(2 * np.pi * 220 * np.arange(round(rate * seconds)) / rate)


def as_24_bit(values):
    return b"".join(struct.pack("<i", int(value * 8_388_607))[:3] for value in values)


ODD_AUDIO = {
    "silent": lambda path: write_wave(path, bytes(12_800)),
    "8 kHz": lambda path: write_wave(path, (tone(8000) * 32767).astype("<i2").tobytes(), rate=8000),
    "stereo": lambda path: write_wave(path, np.repeat(tone(44_100) * 32767, 2).astype("<i2").tobytes(), 44_100, 2),
    "24 bit": lambda path: write_wave(path, as_24_bit(tone(48_000)), 48_000, 1, 3),
    "8 bit": lambda path: write_wave(path, (tone(11_025) * 127 + 128).astype(np.uint8).tobytes(), 11_025, 1, 1),
    "clipped": lambda path: write_wave(path, np.clip(tone(16_000) * 90_000, -32768, 32767).astype("<i2").tobytes()),
    "one sample": lambda path: write_wave(path, b"\x00\x10"),
}


@pytest.mark.parametrize("case", ODD_AUDIO)
def test_odd_audio_is_rendered(moee, film, case):
    path = film(text=script())
    ODD_AUDIO[case](path.parent / "line.wav")
    result = moee("render", path)
    assert result.code == 0, result.err
    assert moee("check", path.parent / "film.mp4").code == 0


# --- portraits ------------------------------------------------------------------------------------------------------


def ana(size=256):
    return cv2.resize(cv2.imread(str(EXAMPLES / "ana.png")), (size, size), interpolation=cv2.INTER_AREA)


def two_faces():
    kofi = cv2.resize(cv2.imread(str(EXAMPLES / "kofi.png")), (256, 256), interpolation=cv2.INTER_AREA)
    return np.hstack([ana(), kofi])


def tiny_face():
    canvas = np.full((600, 600, 3), 120, np.uint8)
    canvas[270:330, 270:330] = ana(60)
    return canvas


BROKEN_PORTRAITS = {
    "missing": (None, "p.png"),
    "empty": (b"", "p.png"),
    "text": (b"no picture", "p.png"),
    "no face": (np.full((300, 300, 3), 90, np.uint8), "no face"),
    "several faces": (two_faces, "2 faces"),
    "a tiny face": (tiny_face, "p.png"),
    "a truncated JPEG": (lambda: cv2.imencode(".jpg", ana())[1].tobytes()[:4000], "p.png"),
}


@pytest.mark.parametrize("case", BROKEN_PORTRAITS)
def test_broken_portraits(fails, case):
    content, word = BROKEN_PORTRAITS[case]
    content = content() if callable(content) else content

    def prepare(folder):
        if isinstance(content, bytes):
            (folder / "p.png").write_bytes(content)
        elif content is not None:
            cv2.imwrite(str(folder / "p.png"), content)

    err = fails(script(portrait="p.png"), 3, word, prepare=prepare)
    assert err.count("error: ") == 1


ODD_PORTRAITS = {
    "grey": lambda: cv2.cvtColor(ana(512), cv2.COLOR_BGR2GRAY),
    "with alpha": lambda: np.dstack([ana(512), np.full((512, 512), 200, np.uint8)]),
    "16 bit": lambda: ana(512).astype(np.uint16) * 257,
    "12000 px wide": lambda: cv2.copyMakeBorder(ana(1024), 0, 0, 5488, 5488, cv2.BORDER_REPLICATE),
}


@pytest.mark.parametrize("case", ODD_PORTRAITS)
def test_odd_portraits_are_rendered(moee, film, tmp_path, case):
    cv2.imwrite(str(tmp_path / "p.png"), ODD_PORTRAITS[case]())
    result = moee("render", film(text=script(portrait="p.png")))
    assert result.code == 0, result.err


def test_a_face_may_be_chosen_among_several(moee, film, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), two_faces())
    result = moee("render", film(text=script(portrait="p.png", face=", face: right")))
    assert result.code == 0, result.err


# --- outputs and surroundings ---------------------------------------------------------------------------------------


def test_an_output_that_is_not_ours(fails):
    err = fails(script(), 3, "--force", prepare=lambda folder: (folder / "film.mp4").write_bytes(b"precious"))
    assert "film.mp4" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(fails):
    fails(script(), 3, prepare=lambda folder: folder.chmod(0o555))


@pytest.mark.parametrize("target", ["line.wav/film.mp4", ".", "film.xyz", "/proc/film.mp4"])
def test_an_output_that_cannot_be(fails, target, tmp_path):
    err = fails(script(), 3, arguments=("-o", str(tmp_path / target)))
    assert "warning" not in err


def test_no_ffmpeg_anywhere(fails, monkeypatch):
    import imageio_ffmpeg

    from moee_cli.media import ffmpeg

    def nothing():
        raise RuntimeError("no ffmpeg")

    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", nothing)
    ffmpeg.find_ffmpeg.cache_clear()
    try:
        fails(script(), 4, "ffmpeg", "install")
    finally:
        ffmpeg.find_ffmpeg.cache_clear()


def run_moee(path, *arguments, **options):
    command = [sys.executable, "-m", "moee_cli", "render", str(path), "--progress", "plain", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=ROOT, **options)


def test_a_full_disk(film, own_home):
    path = film(text=script(extra="").replace("128x128", "512x512").replace("preset: draft", "preset: best"), seconds=3)

    def limit():
        # ffmpeg must meet the error and not die of the signal.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = run_moee(path, preexec_fn=limit)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 6, err
    assert "Traceback" not in err
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["film.yaml", "line.wav"]


@pytest.mark.parametrize("delay", [0.3, 1.0, 2.0, 3.0, 4.0])
def test_ctrl_c_at_any_moment(film, delay, tmp_path):
    path = film(text=script().replace("128x128", "256x256"), seconds=20)
    process = run_moee(path, start_new_session=True)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode != 0:
        assert process.returncode in (130, -signal.SIGINT), err
        assert "Traceback" not in err or process.returncode == -signal.SIGINT
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["film.yaml", "line.wav"]


STRANGE_NAMES = [
    "with space",
    "it's",
    'double "quote"',
    "-dash",
    "ünï-日本-😀",
    "new\nline",
    "per%cent",
    "semi;colon",
    "a'b\"c$d",
]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_names_everywhere(moee, tmp_path, film, name):
    folder = tmp_path / name
    path = film(name=f"{name}/{name}.yaml")
    shutil.copy(path.parent / "line.wav", folder / f"{name}.wav")
    shutil.copy(EXAMPLES / "ana.png", folder / f"{name}.png")
    quoted = (
        name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("$", "$$")
        if "$" not in name
        else None
    )
    if quoted is None:
        quoted = name.replace('"', '\\"')
    text = script(f'[{{id: a, audio: "{quoted}.wav"}}]', portrait=f"{quoted}.png")
    path.write_text(text.replace("output: film.mp4", f'output: "{quoted}.mp4"'), encoding="utf-8")
    result = moee("render", path)
    assert result.code == 0, result.err
    assert (folder / f"{name}.mp4").exists()
    assert moee("check", folder / f"{name}.mp4").code == 0


def test_a_script_from_standard_input_to_standard_output(film, tmp_path):
    path = film(text=script())
    command = [sys.executable, "-m", "moee_cli", "render", "-", "-o", "-", "--progress", "none"]
    done = subprocess.run(
        command,
        input=path.read_bytes(),
        capture_output=True,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout[4:8] == b"ftyp"
    assert not (tmp_path / "film.mp4").exists()
