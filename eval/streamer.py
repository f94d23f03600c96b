"""How a run scores frames as they come.

A `Streamer` holds the last window of frames and nothing else: memory does not grow, and no score looks ahead. Its
numbers are those of policy `last` (`pagen.scoring.sliding`), rounded otherwise, as windows run one by one; LUSS-AE's
prediction is kept from the pass before. What compares two frames has no score (NaN) for a first one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen.errors import PagenError, unknown_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pagen.models.runs import Run
    from pagen.scoring.frame_score import FrameScore
    from pagen.scoring.zones import Zones

    Frame = npt.NDArray[np.uint8]


class Streamer:
    """Scores frames that come one by one.

    Args:
        indicator: what the score is called.
        watches: make what looks at frames, with nothing held.
        parts: the indicators that are added up, and what is known of their training scores; one alone stays raw.
        zones: what counts; the error outside is 0, and the score that of the worst place inside.
    """

    def __init__(
        self,
        indicator: str,
        watches: Sequence[Callable[[], Callable[[Frame], dict[str, FrameScore]]]],
        parts: Mapping[str, Any],
        zones: Zones | None,
    ) -> None:
        self.indicator = indicator
        self._new, self._parts, self._zones = watches, parts, zones
        self.reset()

    def reset(self) -> None:
        """Hold nothing, as at the start."""
        self._watches = [new() for new in self._new]

    def __call__(self, frame: Frame) -> FrameScore:
        """The score of the newest frame, uint8 (H, W) or (H, W, 3) RGB, and where it errs; NaN if there is none yet."""
        from pagen.scoring.frame_score import FrameScore

        looks: dict[str, FrameScore] = {}
        for watch in self._watches:
            looks |= watch(frame)
        if any(name not in looks for name in self._parts):
            return FrameScore(math.nan)
        found = [looks[name] for name in self._parts]
        if self._zones is not None:
            found = [self._zones.within(name, looks[name], frame.shape[:2]) for name in self._parts]
        return found[0] if len(found) == 1 else self._fused(found)

    def _fused(self, found: Sequence[FrameScore]) -> FrameScore:
        import numpy as np

        from pagen.scoring.frame_score import FrameScore
        from pagen.scoring.rescale import calibrated

        known = zip(found, self._parts.values(), strict=True)
        values = [float(calibrated(np.array(look.value), quantiles)) for look, quantiles in known]
        hot = {value: look.heat for value, look in zip(values, found, strict=True) if look.heat is not None}
        return FrameScore(sum(values) / len(values), hot[max(hot)] if hot else None)


def open_streamer(run: str, indicator: str | None = None, zones: Zones | None = None, device: str = "auto") -> Streamer:
    """What scores frames for a run, or for a baseline by its name.

    Args:
        indicator: by default what the run fuses, else its first. In zones, `fused` is of those that have a map.

    Raises:
        PagenError: no such run, indicator or device, flow that is read from files, or zones without a map.
    """
    from pagen.scoring.baselines import BASELINES
    from pagen.scoring.stream import MAPPED

    baseline = partial(Watch, "baseline", run, {"size": None, "colour": False}, "cpu")
    known, fused, watches = ({run: {}}, (), [baseline]) if run in BASELINES else _opened(Path(run), device)
    names = [*(["fused"] if fused else []), *known]
    chosen = indicator or names[0]
    if chosen not in names:
        raise unknown_name("indicator", chosen, names)
    parts = [name for name in (fused if chosen == "fused" else [chosen]) if zones is None or name in MAPPED]
    if not parts:
        raise PagenError(f"expected an indicator with a map of errors for --zones, found {chosen}; take another")
    return Streamer(chosen, watches, {name: known[name] for name in parts}, zones)


def _opened(path: Path, device: str) -> Any:
    """The indicators with their calibration, those that are fused, and what makes what looks at frames."""
    from pagen.device import device_named
    from pagen.eval.fusion import fused_of
    from pagen.models.encoders.open import open_encoder
    from pagen.models.runs import open_run
    from pagen.models.speed import fast_layout, keep_memory

    keep_memory()
    opened, place = open_run(path), device_named(device)
    known: dict[str, dict[str, float]] = {}
    watches = list[Callable[[], Any]]()
    for single in opened.single():
        if single.detector is not None:
            from pagen.eval.density_watch import DensityWatch

            known |= single.calibration
            watches.append(partial(DensityWatch, single, place))
            continue
        network, recipe = single.network.to(place), single.recipe
        fast_layout(network)
        kind = kind_of(single)
        if kind == "flow" and recipe["flow"].startswith("file"):
            raise PagenError(f"expected a run on flow that is computed, found {recipe['flow']} in {single.path}")
        if kind == "features":
            recipe = {**recipe, "opened": open_encoder(recipe["encoder"], place)}
        known |= {name: single.calibration.get(name, {}) for name in INDICATORS[kind]}
        watches.append(partial(Watch, kind, network, recipe, place))
    return known, fused_of(opened.recipe), watches


def kind_of(run: Run) -> str:
    """The kind of a run of one network, as `INDICATORS` has it."""
    from pagen.models.luss import LUSSAE

    return "luss" if isinstance(run.network, LUSSAE) else str(run.recipe["source"])


INDICATORS = {
    "frames": ("psnr_local", "psnr"),
    "flow": ("flow_local", "flow"),
    "features": ("semantic",),
    "luss": ("vcr_local", "ffp_local", "vcr", "ffp", "prp"),
}
"""Kind of network -> what it says; the first one by default."""
NEWEST: Any = [0]


class Watch:
    """Looks at frames one by one: a kind of network of `INDICATORS`, or `baseline` with the name of one."""

    def __init__(self, kind: str, network: Any, recipe: Mapping[str, Any], device: str) -> None:
        self._look: Callable[[Frame], dict[str, FrameScore]] = getattr(self, f"_{kind}")
        self._network, self._recipe, self._device = network, recipe, device
        from pagen.scoring.window_scores import POOLED

        pooled = POOLED if recipe.get("pool") == "mean" else 1
        self._held: deque[Any] = deque(maxlen=recipe.get("window", pooled))
        self._two: deque[Any] = deque(maxlen=2)

    def __call__(self, frame: Frame) -> dict[str, FrameScore]:
        """What is said of the newest frame; nothing where there is no frame before that it needs."""
        from pagen.footage.resize import resized_frame

        size = self._recipe["size"]
        return self._look(resized_frame(frame, size and (size[0], size[1]), self._recipe["colour"]))

    def _frames(self, frame: Frame) -> dict[str, FrameScore]:
        from pagen.scoring.stream import looks_of

        shown = self._clip(frame)
        return looks_of("psnr", shown[:, :, -1:], self._rebuilt(shown), "mse")

    def _luss(self, frame: Frame) -> dict[str, FrameScore]:
        from pagen.models.luss import predict
        from pagen.scoring.frame_score import FrameScore
        from pagen.scoring.stream import looks_of
        from pagen.scoring.window_scores import accelerated

        shown = self._clip(frame)
        newest, found = shown[:, :, -1:], self._told(predict, shown)
        self._two.append(found.ffp)
        looks = looks_of("vcr", newest, found.vcr[:, :, -1:]) | looks_of("ffp", newest, self._two[0])
        return {**looks, "prp": FrameScore(float(accelerated(found)))}

    def _flow(self, frame: Frame) -> dict[str, FrameScore]:
        from pagen.footage.flow import grey, open_flow
        from pagen.scoring.sliding import maps_in
        from pagen.scoring.stream import looks_of

        self._two.append(grey(frame))
        if len(self._two) < 2:
            return {}
        method: Any = open_flow(self._recipe["flow"])
        newest = next(method.method(iter(self._two)))[None].astype("float16")
        shown = self._window(maps_in(newest, self._recipe["encoding"], self._recipe["radius"], NEWEST))
        return looks_of("flow", shown[:, :, -1:], self._rebuilt(shown))

    def _features(self, frame: Frame) -> dict[str, FrameScore]:
        import numpy as np

        from pagen.scoring.frame_score import FrameScore
        from pagen.scoring.window_scores import log_odds

        self._held.append(self._recipe["opened"](frame[None]))
        return {"semantic": FrameScore(float(log_odds(self._network, np.concatenate(self._held))[-1]))}

    def _baseline(self, frame: Frame) -> dict[str, FrameScore]:
        from pagen.footage.flow import grey
        from pagen.scoring.stream import baseline_look

        self._two.append(grey(frame))
        return {} if len(self._two) < 2 else {self._network: baseline_look(self._network, *self._two)}

    def _clip(self, frame: Frame) -> Any:
        from pagen.scoring.sliding import frames_in

        return self._window(frames_in(frame[None], NEWEST))

    def _window(self, newest: Any) -> Any:
        """What a network is shown, (1, C, T, H, W): the last inputs (C, 1, H, W), the first repeated at the start."""
        import numpy as np
        import torch

        self._held.extend([newest] * (1 if self._held else self._recipe["window"]))
        return torch.from_numpy(np.concatenate(self._held, axis=1))[None]

    def _rebuilt(self, shown: Any) -> Any:
        """The last frame of an autoencoder's answer."""
        from pagen.scoring.window_scores import rebuilt

        return self._told(rebuilt, shown, [shown.shape[2] - 1])

    def _told(self, function: Callable[..., Any], given: Any, *more: Any) -> Any:
        import torch

        from pagen.device import exact
        from pagen.models.speed import fast_clips

        with torch.inference_mode(), exact():
            return function(self._network, fast_clips(given.to(self._device)), *more)
