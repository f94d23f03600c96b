"""The page of a report, written from what an evaluation holds.

Scores and heat maps are kept below the run, so that a second report is drawn at once. The page calls the run by its
folder's name, without the path.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pagen.compute import Compute
from pagen.eval.evaluation import evaluate_labelled
from pagen.eval.labelled import labelled
from pagen.eval.protocols import protocol_named
from pagen.eval.report.content import content_of
from pagen.eval.report.frames import gallery, shown_frames
from pagen.eval.report.template import write_page
from pagen.eval.settings import EvaluationSettings


def write_report(
    path: Path,
    run: Path,
    dataset: str,
    protocol: str,
    settings: EvaluationSettings,
    compute: Compute,
    pseudo: Path | None = None,
) -> dict[str, Any]:
    """Write the page, in the best quality of pictures that fits into `LARGEST`.

    Returns its size in bytes, how many frames it holds, and the row of the table that it leads with. Raises PagenError
    as `evaluate`, more than one protocol, or no gallery in `pseudo`.

    Args:
        protocol: the name of one, or the path of a JSON file.
        pseudo: a set of pseudo-anomalies, whose gallery the page shows.
    """
    chosen, picture = protocol_named(protocol, "a report"), gallery(pseudo) if pseudo else None
    data = labelled(dataset, compute, settings.labels)
    content = content_of(run, chosen, evaluate_labelled([run], [data], [chosen], settings, compute), data)
    shown = shown_frames(content["drawn"], data.prepared, run, compute)
    size = write_page(path, "report.html.jinja", content, shown, picture)
    return {"bytes": size, "frames": sum(map(len, shown.frames.values())), "row": asdict(content["lead"])}
