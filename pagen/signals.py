"""Requests to end: a terminal that closes and a machine that goes down ask as Ctrl-C does, and all is left in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

REQUESTS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks to end beside Ctrl-C; Windows knows no SIGHUP."""
Answer = Callable[[int, FrameType | None], Any] | signal.Handlers


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt that knows the number of the signal."""
    raise KeyboardInterrupt(number)


@contextmanager
def answered(answer: Answer = interrupt, numbers: tuple[int, ...] = REQUESTS) -> Iterator[None]:
    """These signals are answered inside, but for those that are ignored, as by nohup; the main thread hears them."""
    heard = threading.current_thread() is threading.main_thread()
    kept = [number for number in numbers if heard and signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, answer) for number in kept}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignored() -> AbstractContextManager[None]:
    """What a terminal sends to all of its processes is ignored inside, and by those that are born there."""
    return answered(signal.SIG_IGN, tuple({signal.SIGINT, *REQUESTS} - {signal.SIGTERM}))


def exit_code(error: KeyboardInterrupt) -> int:
    """128 and the signal's number, as shells count: 130 after Ctrl-C."""
    return 128 + (error.args[0] if error.args else signal.SIGINT)
