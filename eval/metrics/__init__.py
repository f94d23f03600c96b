"""Measures of frame scores, events, regions and heat maps: numpy and OpenCV alone, no run and no folder.

The public measures are imported when they are first asked for, so that commands that only name one start without numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pagen.registry import resolve

if TYPE_CHECKING:
    from pagen.eval.metrics.events import at_false_alarms, detection_delays, event_recall, operating_point
    from pagen.eval.metrics.rbdc import localise
    from pagen.eval.metrics.rbdc_of_maps import localise_maps
    from pagen.eval.metrics.roc import auroc, average_precision, equal_error_rate, macro_auroc, micro_auroc
    from pagen.eval.metrics.scenes import at_false_alarms_by_scene, scene_auroc

__all__ = [
    "at_false_alarms", "at_false_alarms_by_scene", "auroc", "average_precision", "detection_delays",
    "equal_error_rate", "event_recall", "localise", "localise_maps", "macro_auroc", "micro_auroc", "operating_point",
    "scene_auroc",
]  # fmt: skip
_SCENES = ("at_false_alarms_by_scene", "scene_auroc")
_MODULES = {"localise": "rbdc", "localise_maps": "rbdc_of_maps", **dict.fromkeys(_SCENES, "scenes")}
_EVENTS = ("at_false_alarms", "detection_delays", "event_recall", "operating_point")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return resolve(f"{__name__}.{_MODULES.get(name, 'events' if name in _EVENTS else 'roc')}:{name}")
