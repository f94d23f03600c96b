"""A protocol: every other frame, as it is."""

from __future__ import annotations

from pagen.eval.protocol import Protocol

EVERY_OTHER = Protocol("every_other", "raw scores of every other frame", every=2)
