from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from pagen.figures import save_figure
from pagen.models.clip_network import REBUILT, Answer, ClipNetwork
from pagen.train import pictures
from pagen.train.batches import ClipBatches
from pagen.train.pictures import curves, sheet

MakeBatches = Callable[..., ClipBatches]


class Half(ClipNetwork):
    """Gives back half of what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return clips * self.factor

    def answer(self, clips: torch.Tensor, frames: Sequence[int]) -> Answer:
        return Answer({REBUILT: self(clips)[:, :, frames]})

    def graph(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self(clips),)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(pictures, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def texts(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")))


def images(figure: Figure) -> list[list[np.ndarray]]:
    """The pictures of every line of a sheet."""
    axes = [axis for axis in figure.axes if axis.images]
    tops = sorted({axis.get_subplotspec().rowspan.start for axis in axes})
    return [[a.images[0].get_array() for a in axes if a.get_subplotspec().rowspan.start == top] for top in tops]


def test_a_sheet_shows_input_target_output_and_error(
    drawn: list[Figure], make_batches: MakeBatches, tmp_path: Path
) -> None:
    sheet(Half(), make_batches("skip"), tmp_path)
    (figure,) = drawn
    rows = images(figure)
    assert [len(row) for row in rows] == [4] * 4
    for number, (given, target, output, error) in enumerate(rows):
        value = given / 127.5 - 1
        np.testing.assert_allclose(output, np.rint((value / 2 + 1) * 127.5), atol=1)
        np.testing.assert_allclose(error, np.abs(value) / 2, atol=0.005)
        assert (given == target).all() == (number < 2)
    shown = texts(figure)
    for words in (
        "input",
        "target",
        "reconstruction",
        "error against the input",
        "normal\nframe 9 of 16",
        "pseudo-anomaly",
    ):
        assert words in shown
    assert "skip on folder" in shown
    assert "error of values in [-1, 1]" in shown


def test_a_baseline_has_no_targets_of_its_own(drawn: list[Figure], make_batches: MakeBatches, tmp_path: Path) -> None:
    sheet(Half(), make_batches("baseline"), tmp_path)
    assert [len(row) for row in images(drawn[0])] == [3, 3]
    assert "target" not in texts(drawn[0])


def test_flow_is_shown_in_colours_whose_scale_is_told(
    drawn: list[Figure], make_batches: MakeBatches, tmp_path: Path
) -> None:
    sheet(Half(), make_batches("temporal"), tmp_path)
    rows = images(drawn[0])
    assert [picture.shape for picture in rows[0]] == [(48, 64, 3)] * 3 + [(48, 64)]
    assert np.ptp(rows[1][0].astype(int)) > 100  # not washed out
    assert "pixels per frame" in texts(drawn[0])


def test_a_sheet_of_stillness_can_be_drawn(drawn: list[Figure], make_batches: MakeBatches, tmp_path: Path) -> None:
    model = Half()
    model.factor.data.fill_(1.0)
    sheet(model, make_batches("baseline"), tmp_path)
    assert all(not row[-1].any() for row in images(drawn[0]))


@pytest.mark.parametrize(
    ("losses", "ticks"), [([0.3], "0.3"), ([0.16, 0.09, 0.08], "0.1"), ([1.0, 0.1, 0.004], "0.02")]
)
def test_curves_are_labelled_in_plain_numbers(
    drawn: list[Figure], tmp_path: Path, losses: list[float], ticks: str
) -> None:
    rows = [{"epoch": i + 1, "step": 10.0 * (i + 1), "loss": loss, "lr": 1e-3} for i, loss in enumerate(losses)]
    curves(rows, "skip on street (tiny scale, seed 0)", tmp_path)
    (figure,) = drawn
    loss, rate = figure.axes
    np.testing.assert_array_equal(loss.lines[0].get_xydata(), [(row["step"], row["loss"]) for row in rows])
    np.testing.assert_array_equal(rate.lines[0].get_ydata(), [1e-3] * len(rows))
    figure.canvas.draw()
    low, high = loss.get_ylim()
    labels = [t.get_text() for t, y in zip(loss.get_yticklabels(), loss.get_yticks(), strict=True) if low <= y <= high]
    assert ticks in labels
    assert 1 <= len(labels) <= 12
    assert all(float(label) > 0 for label in labels)
    assert all(words in texts(figure) for words in ("skip on street", "training loss", "step", "learning rate"))


def test_pictures_are_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        figure = Figure(figsize=(2, 1))
        figure.subplots().plot([0, 1])
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert matplotlib.image.imread(tmp_path / "one.png").shape == (110, 220, 4)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_notebook_keeps_its_own_way_of_drawing() -> None:
    code = "import sys, pagen.train.pictures; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
