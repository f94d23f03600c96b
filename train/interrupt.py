"""An early answer to Ctrl-C: the step is finished, the state saved, and only then is the training left."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from types import FrameType
from typing import Self

import torch
from accelerate import Accelerator

from pagen import console
from pagen.signals import REQUESTS, answered


class Interrupt:
    """Notes Ctrl-C and requests to end while its block runs; a second one interrupts at once."""

    def __init__(self) -> None:
        self.noted = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(answered(self._note, (signal.SIGINT, *REQUESTS)))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def asked(self, accelerator: Accelerator) -> bool:
        """Whether any of the processes has noted one: all of them stop after the same step."""
        if accelerator.num_processes == 1:
            return bool(self.noted)
        noted = torch.tensor(float(self.noted), device=accelerator.device)
        return bool(accelerator.reduce(noted, "sum") > 0)

    def error(self) -> KeyboardInterrupt:
        """What ends the training, with the number of the signal where this process has heard it."""
        return KeyboardInterrupt(self.noted) if self.noted else KeyboardInterrupt()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.noted:
            raise KeyboardInterrupt(number)
        self.noted = number
        console.say("stopping after this step; the state is saved")
