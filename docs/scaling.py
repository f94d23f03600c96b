"""Draw `scaling.png`: time and memory of `pagen generate`, all kinds, over 1 to 16 clips.

Takes ten minutes, with nothing else beside it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "benchmarks"))
CLIPS = (1, 2, 4, 8, 16)
SMALL = ["--size", "128", "128", "--inference-steps", "5", "--workers", "1", "--flow", "tvl1"]
"""Small frames and few steps, since it is the line that counts and not its slope."""


def main() -> None:
    """Ped2's clips where they are found (PAGEN_DATA), else the street's twelve; at 128x128, one worker."""
    from found import ped2_or_street
    from generate import measured

    from pagen import console

    dataset, rows = ped2_or_street(), []
    for clips in CLIPS:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PAGEN_CACHE"] = f"{folder}/cache"
            flags = [*SMALL, "--limit-clips", str(clips), "--out", f"{folder}/pa"]
            command = [sys.executable, "-m", "pagen", "generate", "--dataset", dataset, *flags, "--json"]
            seconds, peak, answer = measured(command)
            frames = json.loads(answer)["kinds"]["spatial"][0]
            rows.append((frames, seconds, peak / 1e6))
            console.say(f"{clips} clips, {frames} frames: {seconds:.0f} s, {peak / 1e6:.0f} MB")
    draw(dataset, rows)


def draw(dataset: str, rows: list[tuple[int, float, float]]) -> None:
    """Two panels: seconds and megabytes over clips."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    for panel, column, name in zip(panels, (1, 2), ("time, seconds", "memory at its highest, MB"), strict=True):
        panel.plot([row[0] for row in rows], [row[column] for row in rows], "o-", color="tab:blue")
        panel.set(
            xlabel=f"frames of {dataset}, in {CLIPS[0]} to {CLIPS[-1]} clips",
            ylabel=name,
            ylim=(0, 1.1 * max(row[column] for row in rows)),
            xlim=(0, None),
        )
        panel.grid(alpha=0.3)
    figure.savefig(DOCS / "scaling.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
