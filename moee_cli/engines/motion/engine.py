"""The embedded engine: motion from `driver`, pictures from `face.renderer`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from pydantic import BaseModel

from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import F32, U8, Drive, Portrait
from moee_cli.engines.base import Pose
from moee_cli.engines.motion.driver import drive_motion
from moee_cli.engines.motion.showcase import sheet_poses
from moee_cli.engines.runtime import Runtime
from moee_cli.face.renderer import FaceRenderer


class MotionEngine:
    """Samples face motion [F, 52] (`labels.MOTION_CHANNELS`) and warps the portrait with it."""

    def __init__(self, options: BaseModel, runtime: Runtime) -> None:
        self._options = options
        self._threads = runtime.threads
        self._pool = ThreadPoolExecutor(runtime.threads, thread_name_prefix="draw")

    def prepare(self, portrait: Portrait) -> FaceRenderer:
        """Return the renderer of this portrait."""
        return FaceRenderer(portrait)

    def sample(self, prepared: FaceRenderer, drive: Drive, *, noise: NoiseSource) -> F32:  # noqa: ARG002 - the portrait does not decide the motion of this engine
        """Return motion float32 [drive.n_frames, 52]."""
        return drive_motion(drive, noise)

    def draw(self, prepared: FaceRenderer, motion: F32) -> Iterator[U8]:
        """Yield frames in order; a few are drawn ahead in threads (OpenCV releases the interpreter lock)."""
        ahead: deque[Future[U8]] = deque()
        try:
            for row in motion:
                ahead.append(self._pool.submit(prepared.draw, row))
                if len(ahead) > self._threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()

    def poses(self) -> tuple[Pose, ...]:
        """Return what a sheet shows of this engine."""
        return sheet_poses()

    def close(self) -> None:
        """Stop the drawing threads."""
        self._pool.shutdown(cancel_futures=True)
