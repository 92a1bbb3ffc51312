"""Processes that draw frames: many short numpy and OpenCV calls hold the interpreter lock, so threads hardly help.

A process is a fresh Python that imports numpy, OpenCV and the renderer, nothing else, and never the program that
started it, so that scripts without a main guard work. It takes renderers and motion from its standard input and
writes frames to its standard output. It ends with its input, whatever ended the other side.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections import OrderedDict
from io import BufferedReader, BufferedWriter
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, cast

import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.renderer import FaceRenderer

_START = "import sys; sys.path[:] = sys.argv[1:]; from moee_cli.engines.motion.process import serve; serve()"
_HEADER = struct.Struct("<3I")
"""Height, width and channels of the frame that follows; zeros if it could not be drawn."""
_KEPT = 2
"""Renderers that a process keeps: those of a dissolve. To send one again takes a few frames' time, once per piece."""
_PIPE_BYTES = 1 << 20
"""Room for frames on their way: at 512x512 more than one, so that drawing goes on while a frame is fetched."""
_BROKEN = (OSError, ValueError, TypeError, AttributeError, pickle.PicklingError)
"""The process has died, its pipes are closed, or a renderer cannot be sent because a caller has changed it."""
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def can_start() -> bool:
    """Return whether the interpreter of this process can be started again: not in a frozen or embedding program."""
    return not getattr(sys, "frozen", False) and "python" in Path(sys.executable or "").name.lower()


class Drawer:
    """One process that draws. Not for several threads at once.

    Raises:
        OSError: it cannot be started, or it has died.
    """

    def __init__(self) -> None:
        settings = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
        # -P: nothing is imported from the current folder, before the path is that of this process.
        command = [sys.executable, "-P", "-c", _START, *sys.path]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=settings,
            # Ctrl-C reaches us alone; we end the process, in order.
            start_new_session=True,
        )
        self._known: OrderedDict[int, FaceRenderer] = OrderedDict()
        self._n_known = 0
        _widen(self._pipes()[1])

    def wait_until_ready(self) -> None:
        """Wait until it has imported what it needs."""
        self._read(memoryview(bytearray(1)))

    def draw(self, renderer: FaceRenderer, motion: F32) -> U8 | None:
        """Return the frame of one motion frame [52], or None if the renderer raised an error there."""
        self._tell(("draw", self._number_of(renderer), motion))
        header = bytearray(_HEADER.size)
        self._read(memoryview(header))
        shape = _HEADER.unpack(header)
        if not all(shape):
            return None
        frame = np.empty(shape, np.uint8)
        self._read(frame.data.cast("B"))
        return frame

    def end(self) -> None:
        """End the process at once and collect it; safe to call twice and from another thread."""
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes():
            with contextlib.suppress(OSError):  # a rest in the buffer has nowhere to go
                pipe.close()

    def _number_of(self, renderer: FaceRenderer) -> int:
        """Return by which number the process knows a renderer; it is sent if it does not know it."""
        for number, known in self._known.items():
            if known is renderer:
                self._known.move_to_end(number)
                return number
        if len(self._known) == _KEPT:
            self._tell(("forget", self._known.popitem(last=False)[0], None))
        self._n_known += 1
        self._tell(("keep", self._n_known, renderer))
        self._known[self._n_known] = renderer
        return self._n_known

    def _pipes(self) -> tuple[BufferedWriter, BufferedReader]:
        return cast("BufferedWriter", self._process.stdin), cast("BufferedReader", self._process.stdout)

    def _tell(self, order: tuple[str, int, Any]) -> None:
        pipe, _ = self._pipes()
        pickle.dump(order, pipe, protocol=5)
        pipe.flush()

    def _read(self, room: memoryview) -> None:
        _, pipe = self._pipes()
        got = 0
        while got < len(room):
            n = pipe.readinto(room[got:])
            if not n:
                raise BrokenPipeError("a drawing process has died")
            got += n


class Drawers:
    """Processes that start in the background and draw for any thread that asks, while there are any."""

    def __init__(self, n_processes: int) -> None:
        self._free: SimpleQueue[Drawer] = SimpleQueue()
        self._lock = threading.Lock()
        self._all: list[Drawer] = []
        self._closed = False
        self._starters = [
            threading.Thread(target=self._start, daemon=True, name=f"start-drawing-{number}")
            for number in range(n_processes)
        ]
        for starter in self._starters:
            starter.start()

    def draw(self, renderer: FaceRenderer, motion: F32) -> U8 | None:
        """Return the frame of a motion frame [52]; None if no process can draw it, for whatever reason."""
        try:
            drawer = self._free.get_nowait()
        except Empty:
            return None
        try:
            frame = drawer.draw(renderer, motion)
        except _BROKEN:  # killed, most likely for its memory: the others go on
            drawer.end()
            return None
        self._free.put(drawer)
        return frame

    def wait_until_ready(self) -> int:
        """Wait until all have started or failed to; return how many are free."""
        for starter in self._starters:
            starter.join()
        return self._free.qsize()

    def close(self) -> None:
        """End all processes; safe to call twice."""
        with self._lock:
            self._closed = True
            drawers = list(self._all)
        for drawer in drawers:
            drawer.end()
        for starter in self._starters:
            starter.join()

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                drawer = Drawer()
            except OSError:  # no more processes, no more memory: threads draw alone
                return
            self._all.append(drawer)
        with contextlib.suppress(*_BROKEN):
            drawer.wait_until_ready()
            self._free.put(drawer)


def _widen(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):  # the system's limit for unprivileged users may be lower
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def serve() -> None:
    """Be a drawing process: obey the orders on standard input until it ends."""
    import cv2

    orders = sys.stdin.buffer
    # Whatever prints, in a library too, must not come between the frames.
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    cv2.setNumThreads(1)
    frames.write(b"!")
    frames.flush()
    renderers: dict[int, FaceRenderer] = {}
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            what, number, given = pickle.load(orders)  # noqa: S301 - the process that started this one wrote it
            if what == "keep":
                renderers[number] = given
            elif what == "forget":
                del renderers[number]
            else:
                _answer(frames, renderers[number], given)


def _answer(frames: IO[bytes], renderer: FaceRenderer, motion: F32) -> None:
    try:
        frame = renderer.draw(motion)
    except Exception:  # noqa: BLE001 - the other side draws it again, and meets the error itself
        frames.write(_HEADER.pack(0, 0, 0))
    else:
        frames.write(_HEADER.pack(*frame.shape))
        frames.write(np.ascontiguousarray(frame).data)
    frames.flush()
