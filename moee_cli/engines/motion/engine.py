"""The embedded engine: motion from a trained network or from `driver`, pictures from `face.renderer`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import F32, U8, Drive, Portrait
from moee_cli.engines.base import Pose
from moee_cli.engines.motion.driver import drive_motion
from moee_cli.engines.motion.process import Drawers, can_start
from moee_cli.engines.motion.sampler import SamplerSettings, sample_motion
from moee_cli.engines.motion.showcase import sheet_poses
from moee_cli.engines.motion.spec import MotionOptions
from moee_cli.engines.runtime import Runtime
from moee_cli.face.renderer import FaceRenderer

if TYPE_CHECKING:
    from moee_cli.models.motion_denoiser import MotionDenoiser

_WORTH_PROCESSES = 75 * 512 * 512
"""Pixels of all frames from which on processes are started: each takes 0.3 s of CPU until it draws, as much as 16
frames of 512x512."""
_TORCH_THREADS = 2
"""Always as many, whatever the machine has, so that sums are made in the same order."""


class MotionEngine:
    """Samples face motion [F, 52] (`labels.MOTION_CHANNELS`) and warps the portrait with it."""

    def __init__(self, options: BaseModel, runtime: Runtime) -> None:
        assert isinstance(options, MotionOptions)
        self._settings = SamplerSettings(
            options.steps, options.audio_guidance, options.emotion_guidance, options.mouth_noise
        )
        self._network = None if options.weights is None else _network(options.weights)
        self._threads = runtime.threads
        self._pool = ThreadPoolExecutor(runtime.threads, thread_name_prefix="draw")
        self._drawers: Drawers | None = None
        self._n_pixels = 0

    def prepare(self, portrait: Portrait) -> FaceRenderer:
        """Return the renderer of this portrait."""
        return FaceRenderer(portrait)

    def sample(self, prepared: FaceRenderer, drive: Drive, *, noise: NoiseSource) -> F32:
        """Return motion float32 [drive.n_frames, 52]."""
        return self.sample_together(prepared, [drive], noise=noise)[0]

    def sample_together(self, prepared: FaceRenderer, drives: Sequence[Drive], *, noise: NoiseSource) -> list[F32]:  # noqa: ARG002 - the portrait does not decide the motion of this engine
        """Return motion of several chunks, each as if it were alone."""
        if self._network is None:
            return [drive_motion(drive, noise) for drive in drives]
        return sample_motion(self._network, drives, noise, self._settings)

    def draw(self, prepared: FaceRenderer, motion: F32) -> Iterator[U8]:
        """Yield frames in order; a few are drawn ahead, in processes once there are enough of them to pay for these."""
        self._n_pixels += len(motion) * prepared.n_pixels
        if self._drawers is None and self._threads > 1 and self._n_pixels >= _WORTH_PROCESSES and can_start():
            self._drawers = Drawers(self._threads)
        ahead: deque[Future[U8]] = deque()
        try:
            for row in motion:
                ahead.append(self._pool.submit(self._draw, prepared, row))
                if len(ahead) > self._threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()

    def _draw(self, prepared: FaceRenderer, row: F32) -> U8:
        """Return one frame: from a process if one is free, and of the same bytes if not."""
        frame = None if self._drawers is None else self._drawers.draw(prepared, row)
        return prepared.draw(row) if frame is None else frame

    def poses(self) -> tuple[Pose, ...]:
        """Return what a sheet shows of this engine."""
        return sheet_poses()

    def close(self) -> None:
        """Stop the drawing threads and processes."""
        self._pool.shutdown(cancel_futures=True)
        if self._drawers is not None:
            self._drawers.close()


def _network(weights: Path) -> MotionDenoiser:
    """Return the network of a file.

    Raises:
        EngineUnavailable: there is none, or it cannot be read.
    """
    import torch

    from moee_cli.models.motion_weights import load_motion_weights

    torch.set_num_threads(_TORCH_THREADS)
    return load_motion_weights(weights)
