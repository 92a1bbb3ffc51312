"""Chunks cover what they should, and blending keeps what agrees."""

from itertools import pairwise

import numpy as np
import pytest

from moee_cli.sampling.chunks import Chunk, OverlapBlender, plan_chunks, ramp

CASES = [
    (n, size, overlap)
    for n in (1, 2, 5, 11, 12, 13, 99, 100, 101, 188, 500)
    for size, overlap in ((100, 12), (13, 12), (8, 0))
]


@pytest.mark.parametrize(("n", "size", "overlap"), CASES)
@pytest.mark.parametrize(("before", "after"), [(0, 0), (7, 0), (0, 12), (6, 9)])
def test_chunks_cover_everything_and_share_the_overlap(n, size, overlap, before, after):
    chunks = plan_chunks(n, size, overlap, before=before, after=after)
    covered = np.zeros(before + n + after, int)
    for chunk in chunks:
        assert 0 < len(chunk) <= max(size, before + overlap)
        covered[chunk.start + before : chunk.stop + before] += 1
    assert covered.min() >= 1
    main = chunks[1:] if before else chunks
    for earlier, later in pairwise(main):
        assert earlier.stop - later.start == overlap or earlier.stop == n + after


@pytest.mark.parametrize(("n", "longer"), [(50, 60), (100, 300), (188, 189)])
def test_a_longer_stretch_keeps_the_early_chunks(n, longer):
    short, long = plan_chunks(n, 100, 12), plan_chunks(longer, 100, 12)
    assert [chunk.start for chunk in short] == [chunk.start for chunk in long[: len(short)]]
    assert short[:-1] == long[: len(short) - 1]


@pytest.mark.parametrize(("size", "overlap"), [(10, 10), (10, -1)])
def test_impossible_overlaps_are_refused(size, overlap):
    with pytest.raises(ValueError, match="overlap"):
        plan_chunks(50, size, overlap)


def test_neighbouring_ramps_sum_to_one():
    weights = ramp(100, 12)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights[-12:] + weights[:12], 1.0, atol=1e-6)
    np.testing.assert_array_equal(weights[12:-12], 1.0)


@pytest.mark.parametrize(("n", "size", "overlap"), CASES)
def test_constants_survive_blending(n, size, overlap):
    blender = OverlapBlender(0, n, overlap)
    for chunk in plan_chunks(n, size, overlap, after=5):
        blender.add(chunk, np.full((len(chunk), 3), 0.7, np.float32))
    np.testing.assert_allclose(blender.result(), 0.7, atol=1e-6)


def test_a_chunk_alone_equals_itself_in_the_whole():
    truth = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    blender = OverlapBlender(0, 300, 12)
    for chunk in plan_chunks(300, 100, 12):
        blender.add(chunk, truth[chunk.start : chunk.stop])
    np.testing.assert_allclose(blender.result(), truth, atol=1e-5)


def test_disagreeing_chunks_change_over_smoothly():
    blender = OverlapBlender(0, 188, 12)
    for index, chunk in enumerate(plan_chunks(188, 100, 12)):
        blender.add(chunk, np.full((len(chunk), 1), float(index), np.float32))
    curve = blender.result()[:, 0]
    assert curve[0] == 0
    assert curve[-1] == 1
    assert (np.diff(curve) >= 0).all()
    assert np.diff(curve).max() < 0.14


def test_an_uncovered_frame_is_an_error():
    blender = OverlapBlender(0, 10, 2)
    blender.add(Chunk(0, 5), np.zeros((5, 1), np.float32))
    with pytest.raises(ValueError, match="no chunk"):
        blender.result()


def test_values_must_fit_their_chunk():
    with pytest.raises(ValueError, match="5 frames"):
        OverlapBlender(0, 10, 2).add(Chunk(0, 5), np.zeros((4, 1), np.float32))
