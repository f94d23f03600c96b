"""How a density run scores frames as they come: the last few are held, and the newest one's features are judged."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pagen.eval.maps import painted
from pagen.features.open import open_stream
from pagen.features.spec import spec_of
from pagen.footage.resize import resized_frame
from pagen.scoring.density import highest, indicator_of
from pagen.scoring.frame_score import FrameScore

if TYPE_CHECKING:
    from pagen.models.runs import Run

Frame = npt.NDArray[np.uint8]


class DensityWatch:
    """Looks at frames one by one.

    Args:
        run: of a detector.
        device: of torch's.
    """

    def __init__(self, run: Run, device: str) -> None:
        self.indicator = indicator_of(run.recipe["features"])
        self._known = run.calibration[self.indicator]
        self._spec, self._device = spec_of(run.recipe), device
        detector: Any = run.detector
        self._detector = detector.to(device)
        self._source: Any = None
        self._held: deque[Frame] = deque()

    def __call__(self, frame: Frame) -> dict[str, FrameScore]:
        """What is said of the newest frame; the lowest score of training where it shows nothing."""
        size = frame.shape[0], frame.shape[1]
        if self._source is None:
            self._source = open_stream(self._spec, size, self._device)
            self._held = deque(maxlen=self._source.context)
        shown = self._source.prepared
        self._held.append(resized_frame(frame, shown.size, shown.colour))
        found = self._source.newest(np.stack(self._held))
        scores = self._detector.anomaly_score(found.vectors) if len(found.vectors) else np.empty(0)
        value = float(highest(scores, np.zeros(len(scores), np.int64), 1, self._known["p0"])[0])
        heat = (
            None if found.boxes is None else painted(size, found.boxes, np.maximum(scores - self._known["median"], 0))
        )
        return {self.indicator: FrameScore(value, None if heat is None else heat.astype(np.float64))}
