"""What is told about finished files."""

from fractions import Fraction

import numpy as np
import pytest

from moee_cli.core.errors import InputError
from moee_cli.media.probe import probe_video, read_frames


@pytest.mark.parametrize("probe", [probe_video, lambda path: list(read_frames(path))])
def test_what_is_no_video(tmp_path, wav, probe):
    with pytest.raises(InputError, match="there is no file"):
        probe(tmp_path / "gone.mp4")
    with pytest.raises(InputError, match="is not a file"):
        probe(tmp_path)
    text = tmp_path / "a.mp4"
    text.write_text("not a video")
    with pytest.raises(InputError, match="not a video"):
        probe(text)
    with pytest.raises(InputError, match="not a video"):
        probe(wav(np.zeros(100)))


def test_faults_of_foreign_videos_are_seen(tmp_path, wav, convert, make_piece):
    """Sound that is too long, an index at the end, a picture shown twice as long."""
    piece = make_piece("piece.mp4", range(25), preset="ultrafast")
    foreign = convert(
        wav(np.zeros(96_000)), "foreign.mp4", "-i", str(piece), "-c:v", "copy", "-bsf:v", "setts=ts=TS+gte(N\\,10)*512"
    )
    info = probe_video(foreign)
    assert info.n_frames == 25
    assert not info.even_spacing
    assert not info.faststart
    assert info.audio_seconds == 2
    assert abs(info.video_seconds - Fraction(26, 25)) < Fraction(1, 50)
