"""Requests to end: a terminal that closes and a machine that goes down ask as Ctrl-C does, and all is left in order."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

REQUESTS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks to end beside Ctrl-C; Windows knows no SIGHUP."""
ALL = (signal.SIGINT, *REQUESTS)
AGAIN, LONGEST_IMPORT = 0.05, 30.0
"""Seconds after which an import is looked for again, and that one may take."""
Answer = Callable[[int, FrameType | None], Any] | signal.Handlers


class Ended(KeyboardInterrupt):
    """A request to end, with the number of its signal.

    A class of its own: where a bare KeyboardInterrupt passes through `exec`, by which dataclasses are made, Python
    kills the process by SIGINT in the end, whoever has caught it (3.11, `exit_sigint`).
    """


class _Interrupt:
    """Raises `Ended`, but while a module is imported a little later: torch swallows what is raised while it imports
    NumPy, and goes on with half of it. What is asked for so long that it cannot be an import is not put off."""

    def __init__(self) -> None:
        self._since: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._since = self._since or time.monotonic()
        if _importing(frame) and time.monotonic() - self._since < LONGEST_IMPORT:
            again = threading.Timer(AGAIN, signal.raise_signal, (number,))
            again.daemon = True
            again.start()
            return
        self._since = None
        raise Ended(number)


interrupt = _Interrupt()
"""Answers a request to end."""


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported, in this frame or around it."""
    while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None


@contextmanager
def answered(answer: Answer = interrupt, numbers: tuple[int, ...] = ALL) -> Iterator[None]:
    """These signals are answered inside, but for those that are ignored, as by nohup; the main thread hears them."""
    heard = threading.current_thread() is threading.main_thread()
    kept = [number for number in numbers if heard and signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, answer) for number in kept}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Requests to end wait until the block does; of those that are born inside, what a terminal sends ends none.

    A terminal sends to all of its processes at once: a parent that hears it ends its children in order. They inherit
    that the signals are blocked, not how they are answered.
    """
    heard = list[int]()
    with _blocked(), answered(lambda number, frame: heard.append(number)):
        yield
    for number in heard:  # another thread let it through
        signal.raise_signal(number)


@contextmanager
def _blocked() -> Iterator[None]:
    """This thread, and what is born of it, is not reached by what a terminal sends. Windows knows no such thing."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def exit_code(error: KeyboardInterrupt) -> int:
    """128 and the signal's number, as shells count: 130 after Ctrl-C."""
    return 128 + (error.args[0] if error.args else signal.SIGINT)
