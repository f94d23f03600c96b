"""What all figures have in common: texts are drawn as they are, whatever signs names have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from pagen.figures import UNDATED, paper_style, save_figure

TOP = Path(__file__).parents[1]
ROOMS = ("pagen", "train", "eval", "models")
SIGNS = [r"$\frac$", "a$b$", "$", "cam_1$_^{", "100 % & #1"]


def figure_of(text: str) -> Figure:
    """A figure with a text wherever figures of pagen have one."""
    figure = Figure(layout="constrained")
    upper, lower = figure.subfigures(2, 1)
    axis, other = upper.subplots(), lower.subplots()
    axis.plot([0, 1], label=text)
    axis.set(xlabel=text, ylabel=text, title=text)
    axis.set_title(text, loc="left")
    axis.text(0, 0, text)
    axis.set_xticks([0, 1], [text, text])
    axis.legend(title=text)
    figure.colorbar(other.imshow(np.zeros((2, 2))), ax=other).set_label(text)
    figure.suptitle(text)
    lower.suptitle(text)
    figure.legend([axis.lines[0]], [text])
    figure.supylabel(text)
    return figure


@pytest.mark.parametrize("text", SIGNS)
def test_texts_are_drawn_as_they_are(text: str, tmp_path: Path) -> None:
    save_figure(figure_of(text), tmp_path / "f.svg", 40)
    drawn = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert drawn.count(f"<!-- {text.replace('&', '&amp;')} -->") == 14


@pytest.mark.parametrize("form", UNDATED)
def test_no_format_and_no_style_takes_names_for_formulas(form: str, tmp_path: Path) -> None:
    with paper_style():
        save_figure(figure_of(SIGNS[0]), tmp_path / f"styled.{form}", 40)
    save_figure(figure_of(SIGNS[0]), tmp_path / f"plain.{form}", 40)


def test_one_place_writes_figures() -> None:
    files = (file for room in ROOMS for file in (TOP / room).rglob("*.py"))
    assert [file.name for file in files if ".savefig(" in file.read_text(encoding="utf-8")] == ["figures.py"]
