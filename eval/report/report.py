"""The verb `report`: a run's scores on a data set as one HTML file that asks the network for nothing.

Scores come from `evaluate`, heat maps from `error_maps`; both are kept below the run, so that a second report is
drawn at once. The page calls the run by its folder's name, without the path.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from pagen import console
from pagen.folders import Folder, write_text
from pagen.footage.catalogue import DATASETS

if TYPE_CHECKING:
    from pagen.eval.report.content import Content

LARGEST = 8_000_000
"""Bytes that the page stays under."""
_QUALITIES = (70, 55, 40, 25, 10)


@dataclass(frozen=True)
class Report:
    """Draw a run's scores, frames and errors as one HTML file."""

    run: tyro.conf.Positional[Path]
    """The run's folder."""
    dataset: str
    """Name of the data set, as `pagen datasets` lists them."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    protocol: str = "causal"
    """Protocol (raw causal lntra luss luss_released unified_pa mulde accivad), or a JSON file of one's own."""
    alarms: float = 10.0
    """False alarms an hour that the operating point may have."""
    out: Path | None = None
    """The file; by default RUN/report.html."""
    pseudo: Path | None = None
    """Folder of a set of pseudo-anomalies, whose gallery the page shows."""
    device: str = "auto"
    """Where the run is scored: cpu, cuda, cuda:1, or the best there is."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    overwrite: bool = False
    """Score again, where scores of an earlier state of the run or the footage are kept."""
    json: bool = False
    """Print the result as JSON."""


def run(config: Report) -> None:
    """The verb `report`."""
    DATASETS[config.dataset]
    Folder.open(config.run, "run", verify=False)
    path = config.out or config.run / "report.html"
    found = report(config, path)
    console.result({"report": str(path), **found}, config.json, f"wrote {path} ({found['bytes'] / 1e6:.1f} MB)")


def report(config: Report, path: Path) -> dict[str, Any]:
    """Write the page, in the best quality of pictures that fits into `LARGEST`.

    Returns:
        Its size in bytes, how many frames it holds, and the row of the table that it leads with.

    Raises:
        PagenError: as `evaluate` and `score_run`, more than one protocol, or no gallery in `config.pseudo`.
    """
    from pagen.eval.evaluate import evaluate
    from pagen.eval.protocols import protocol_named
    from pagen.eval.report.content import content_of
    from pagen.eval.report.frames import gallery, shown_frames
    from pagen.eval.scores import open_scores, scores_folder
    from pagen.footage.prepare import prepare
    from pagen.models.runs import open_run

    protocol = protocol_named(config.protocol, "a report")
    where = {name: getattr(config, name) for name in ("root", "device", "workers", "overwrite")}
    pseudo = gallery(config.pseudo) if config.pseudo else None
    evaluation = evaluate([config.run], config.dataset, protocols=[config.protocol], alarms=config.alarms, **where)
    prepared = prepare(config.dataset, config.root, size=None, workers=config.workers)
    scores = open_scores(scores_folder(open_run(config.run), config.dataset, protocol.policy))
    content = content_of(config.run, protocol, evaluation, scores, prepared, config.workers)
    shown = shown_frames(content, prepared, config.run, **where)
    for quality in _QUALITIES:
        page = _page(content, shown.encoded(quality), pseudo)
        if len(page.encode()) < LARGEST:
            break
    write_text(path, page)
    return {"bytes": len(page.encode()), "frames": shown.count, "row": asdict(content.lead)}


def _page(content: Content, shown: dict[str, Any], pseudo: str | None) -> str:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8"))
    return template.render(content=content, data={**content.drawn, **shown}, pseudo=pseudo)
