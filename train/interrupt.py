"""An early answer to Ctrl-C: the step is finished, the state saved, and only then is the training left."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

import torch
from accelerate import Accelerator

from pagen import console


class Interrupt:
    """Notes Ctrl-C and requests to terminate while its block runs; a second one interrupts at once."""

    def __init__(self) -> None:
        self.noted = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def asked(self, accelerator: Accelerator) -> bool:
        """Whether any of the processes has noted one: all of them stop after the same step."""
        if accelerator.num_processes == 1:
            return self.noted
        noted = torch.tensor(float(self.noted), device=accelerator.device)
        return bool(accelerator.reduce(noted, "sum") > 0)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.noted:
            raise KeyboardInterrupt
        self.noted = True
        console.say("stopping after this step; the state is saved")
