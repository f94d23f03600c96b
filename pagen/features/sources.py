"""The kinds of features, by name. What computes them is imported when one is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pagen.errors import PagenError
from pagen.registry import Registry
from pagen.spread import Workers

if TYPE_CHECKING:
    from pagen.features.source import Source
    from pagen.features.spec import FeatureSpec
    from pagen.footage.prepare import Prepared

Factory = Callable[["FeatureSpec", str, Path | None, str, Workers], "Source"]


def open_source(
    spec: FeatureSpec, dataset: str, root: Path | None = None, device: str = "cpu", workers: Workers = None
) -> Source:
    """The source of a kind of features of a data set's clips, which are prepared where they have not been.

    Args:
        dataset, root: as `prepare` takes them.
        device: where networks run: a name of torch's, or `auto`.
        workers: as `spread` takes them, to prepare footage and flow.

    Raises:
        PagenError: no such kind, data set or device, a model or run that is missing or of another kind, or an option
            too many or too few.
    """
    from pagen.device import device_named

    return FEATURES[spec.name](spec, dataset, root, device_named(device), workers)


def _encoded(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.frames import Encoded, opening

    encoder = opening(spec.of, device)
    return Encoded(_clips(spec, dataset, root, workers), encoder, spec.pool)


def _hiera(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.video import open_rolling

    return open_rolling(spec.option, _clips(spec, dataset, root, workers), device)


def _latents(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.latents import open_codes

    return open_codes(_run(spec), dataset, root, device, workers, places=spec.name == "locations")


def _velocity(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.velocity import open_velocity

    clips = _clips(spec, dataset, root, workers)
    return open_velocity(clips, spec.boxes, spec.flow, spec.bins, spec.by_height, workers, device)


def _deep(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.deep import open_deep

    return open_deep(_clips(spec, dataset, root, workers), spec.boxes, spec.encoder, spec.side, spec.bgr, device)


def _pose(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.pose import open_pose

    return open_pose(_clips(spec, dataset, root, workers), spec.boxes, spec.encoder, spec.raw_poses, device)


def _tube(spec: FeatureSpec, dataset: str, root: Path | None, device: str, workers: Workers) -> Source:
    from pagen.features.tube import open_tube

    run = _run(spec)
    return open_tube(_clips(spec, dataset, root, workers), run, spec.boxes, device)


def _clips(spec: FeatureSpec, dataset: str, root: Path | None, workers: Workers) -> Prepared:
    from pagen.footage.prepare import prepare

    return prepare(dataset, root, spec.size, spec.colour, workers=workers)


def _run(spec: FeatureSpec) -> Path:
    if not spec.option:
        raise PagenError(f"expected features '{spec.name}:RUN' with a run's folder, found '{spec.of}'; name the run")
    return Path(spec.option)


FEATURES: Registry[Factory] = Registry(
    "features",
    "pagen.features",
    {
        "lite0": _encoded,
        "clip": _encoded,
        "vificlip": _encoded,
        "hiera": _hiera,
        "latents": _latents,
        "locations": _latents,
        "velocity": _velocity,
        "deep": _deep,
        "pose": _pose,
        "tube": _tube,
    },
)
"""Name -> factory over the arguments of `open_source`, the device resolved."""
