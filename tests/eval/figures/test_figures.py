"""What figures draw equals what was scored; files are whole, alike and readable; bad input gets one line."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Drawn
from matplotlib.text import Text
from sklearn.metrics import roc_auc_score

from pagen.cli import main
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.figures.draw import KINDS
from pagen.eval.figures.figure import Figure, require_request, run
from pagen.eval.figures.indicators import called, unit
from pagen.eval.figures.measures import answer_to
from pagen.eval.figures.request import Request, request_of
from pagen.eval.maps import maps_of_run
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.scores import open_scores, score_run
from pagen.eval.side_by_side import on_one_axis
from pagen.figures import paper_style
from pagen.folders import Folder, digests, write_json
from pagen.models.luss import LUSSAE
from pagen.scoring.errors import MEASURES

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]
MakeRun = Callable[..., Path]


@pytest.fixture
def luss(make_run: MakeRun) -> Path:
    """A run of three tasks with random weights."""
    path = make_run(recipe="luss", name="luss")
    torch.manual_seed(0)
    LUSSAE(1, "tiny", prp="conv").save_pretrained(path / "model")
    known = {"median": 0.0, "p1": -1.0, "p99": 1.0}
    write_json(path / "calibration.json", dict.fromkeys(("vcr", "vcr_local", "prp", "ffp", "ffp_local"), known))
    folder = Folder.begin(path, "run", {}, {})
    folder.record("run", digests(path, [path / "recipe.json", *sorted((path / "model").iterdir())]))
    folder.finish()
    return path


def asked(kind: str, runs: tuple[Path, ...], footage: Path, protocol: str = "causal", **changes: Any) -> Request:
    video = () if kind == "scores" else ("test_x",)
    request = request_of(runs, "folder", video, (), protocol, Compute(footage, "cpu", 0), (), KINDS[kind].width)
    return replace(request, **changes)


def made(kind: str, request: Request) -> tuple[Drawn, dict[str, Any]]:
    with paper_style():
        return KINDS[kind].make(request)


@pytest.mark.parametrize("protocol", ["causal", "lntra"])
def test_curves_are_the_scores_on_one_axis(footage: Path, make_run: MakeRun, luss: Path, protocol: str) -> None:
    runs = (make_run(name="skip"), luss)
    figure, about = made("scores", asked("scores", runs, footage, protocol))
    chosen, axis = PROTOCOLS[protocol], figure.axes[0]
    scores = open_scores(runs[0] / "scores" / "folder" / chosen.policy)
    final, labels = apply(chosen, {"psnr_local": scores.of("psnr_local")}, scores.labels)
    curve = axis.lines[0]
    assert np.asarray(curve.get_ydata()) == pytest.approx(on_one_axis(final)["test_x"])
    assert list(curve.get_xdata()) == list(range(chosen.dropped_first, 30 - chosen.dropped_last))
    assert len(axis.lines) == 3
    area = roc_auc_score(*(np.concatenate([*part.values()]) for part in (labels, final)))
    assert about["micro"]["skip"] == pytest.approx(area, abs=1e-12)
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert entries[0] == f"skip  {100 * area:.1f}"
    assert [entry.split()[0] for entry in entries] == ["skip", "luss", "flow_speed", "labelled"]
    ((left, right),) = [patch.get_extents().transformed(axis.transData.inverted()).intervalx for patch in axis.patches]
    assert (left, right) == pytest.approx((14.5, 29.5))


def test_maps_are_those_of_the_runs(footage: Path, make_run: MakeRun) -> None:
    runs = (make_run(name="a"), make_run(1, name="b"))
    request = asked("maps", runs, footage, frames=(3, 20))
    figure, about = made("maps", request)
    for column, run_ in enumerate(runs, 1):
        ((_, maps),) = maps_of_run(run_, request.prepared, request.compute)
        every = list(maps("test_x"))
        for row, frame in enumerate((3, 20)):
            (image,) = figure.axes[4 * row + column].images
            assert np.array_equal(np.asarray(image.get_array()), every[frame])
            assert image.get_clim() == (0, pytest.approx(max(float(one.max()) for one in every)))
    assert list(about["highest"]) == ["a", "b", "flow_speed"]


@pytest.mark.parametrize(("name", "indicator", "what"), [("run", "psnr", "rebuilt"), ("luss", "ffp", "predicted")])
def test_an_answer_is_the_one_that_was_scored(
    footage: Path, make_run: MakeRun, luss: Path, name: str, indicator: str, what: str
) -> None:
    path = luss if name == "luss" else make_run()
    for frame in (0, 7, 29):
        said, shown, answered = answer_to(path, "folder", "test_x", frame, Compute(footage, "cpu", 0))
        assert said == what
        assert shown.shape == answered.shape == (1, 1, 1, 20, 36)
        for measure, error in MEASURES.items():
            scores = score_run(path, "folder", Compute(footage, "cpu", 0), measure=measure)
            value = 10 * np.log10(float(error(shown, answered)) / 4)
            assert scores.of(indicator)["test_x"][frame] == pytest.approx(value, abs=1e-4)


def test_measures_are_drawn_with_their_errors(footage: Path, luss: Path) -> None:
    request = asked("measures", (luss,), footage, frames=(5, 20))
    figure, about = made("measures", request)
    for row, frame in enumerate((5, 20)):
        _, shown, answered = answer_to(luss, "folder", "test_x", frame, request.compute)
        for column, (measure, error) in enumerate(MEASURES.items(), 2):
            axis, value = figure.axes[5 * row + column], float(error(shown, answered))
            assert about["errors"][measure.upper()][row] == pytest.approx(value, rel=1e-9)
            assert axis.get_title() == f"{measure.upper()} {value:#.3g}"
            assert float(np.mean(axis.images[0].get_array())) == pytest.approx(value, rel=1e-6)
    assert figure.axes[3].images[0].get_array().shape == (20, 36)
    assert figure.axes[4].images[0].get_array().shape == (10, 18)


def test_indicators_and_their_sum(footage: Path, luss: Path) -> None:
    request = asked("indicators", (luss,), footage, "luss", frames=(2, 20))
    figure, about = made("indicators", request)
    assert about["indicators"] == ["vcr", "ffp", "prp", "fused"]
    scores, protocol = open_scores(luss / "scores" / "folder" / "window"), PROTOCOLS["luss"]
    total, vcr = figure.axes[0], figure.axes[3]
    final, _ = apply(protocol, {"vcr": scores.of("vcr")}, scores.labels)
    assert np.asarray(vcr.lines[-1].get_ydata()) == pytest.approx(final["test_x"])
    parts = {name: scores.of(name) for name in ("vcr", "ffp", "prp")}
    known = scores.config["calibration"]
    fused, _ = apply(protocol, parts, scores.labels, "folder", known)
    assert np.asarray(total.lines[-1].get_ydata()) == pytest.approx(fused["test_x"])
    assert list(total.lines[-1].get_xdata()) == list(range(16, 30))
    assert [axis.get_title("left") for axis in figure.axes[:4]] == [
        f"{name}, rescaled" for name in ("sum", "PRP", "FFP", "VCR")
    ]
    assert [axis.get_title() for axis in figure.axes[4:]] == ["frame 2", "frame 20"]
    assert [line.get_xdata()[0] for line in total.lines[:2]] == [2, 20]
    shown = np.asarray(figure.axes[5].images[0].get_array())
    assert np.array_equal(shown, request.prepared.frames("test_x")[20][..., 0])


def test_axes_say_what_values_count(footage: Path, luss: Path) -> None:
    causal = asked("indicators", (luss,), footage)
    assert [unit(causal, name) for name in ("vcr_local", "prp", "fused", "density")] == [
        "dB",
        "log-odds",
        "sum",
        "score",
    ]
    rescaled = asked("indicators", (luss,), footage, "luss")
    assert {unit(rescaled, name) for name in ("vcr", "prp", "fused")} == {"rescaled"}
    assert [called(name) for name in ("vcr_local", "prp", "flow_speed", "fused")] == [
        "VCR at the worst place",
        "PRP",
        "flow speed",
        "sum",
    ]


def test_without_a_frame_the_highest_scored_one_is_shown(footage: Path, make_run: MakeRun) -> None:
    request = asked("maps", (make_run(),), footage, "lntra")
    final = next(one.final for one in request.series if one.indicator == "psnr_local")
    assert request.shown_frames() == (8 + int(np.argmax(final["test_x"])),)
    short = replace(request, videos=("test_y",))
    with pytest.raises(PagenError, match="protocol lntra scores no frame of test_y; give --frame"):
        short.shown_frames()


def overlaps(figure: Drawn) -> list[tuple[str, str]]:
    """Texts of a figure that lie upon each other, and those that reach beyond its edge."""
    FigureCanvasAgg(figure).draw()
    boxes = {text: text.get_window_extent().shrunk(0.96, 0.9) for text in drawn_texts(figure) if text.get_text()}
    upon = [pair for pair in combinations(boxes, 2) if boxes[pair[0]].overlaps(boxes[pair[1]])]
    page = figure.bbox.padded(1)
    beyond = [text for text, box in boxes.items() if not all(page.contains(*corner) for corner in box.corners())]
    return [(one.get_text(), other.get_text()) for one, other in upon] + [(one.get_text(), "edge") for one in beyond]


def drawn_texts(figure: Drawn) -> Iterator[Text]:
    """All texts; numbers of an axis as far as they lie inside of its limits."""
    yield from figure.texts
    for legend in figure.legends:
        yield from (legend.get_title(), *legend.get_texts())
    for axes in figure.axes:
        yield from (
            axes.title,
            *(text for text in axes.get_children() if isinstance(text, Text) and text is not axes.title),
        )
        for axis in (axes.xaxis, axes.yaxis):
            yield axis.label
            low, high = sorted(axis.get_view_interval())
            labels = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            yield from (label for label in labels if label.get_visible())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [None, 3.4])
def test_no_text_lies_upon_another(
    footage: Path, make_run: MakeRun, luss: Path, kind: str, width: float | None
) -> None:
    runs = (luss,) if kind in ("measures", "indicators") else (make_run(name="a long name of a run"), luss)
    request = asked(kind, runs, footage)
    figure, _ = made(kind, replace(request, width=width or request.width))
    assert overlaps(figure) == []


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_file_has_its_format_and_always_the_same_bytes(
    footage: Path, make_run: MakeRun, tmp_path: Path, ending: str, begins: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_run()
    contents = []
    for number in (1, 2):
        out = tmp_path / f"{number}" / f"f.{ending}"
        run(Figure("scores", (path,), "folder", out, footage, device="cpu", workers=0, json=True))
        contents.append(out.read_bytes())
    about = json.loads(capsys.readouterr().out.split("\n}\n")[0] + "}")
    assert (about["kind"], about["videos"]) == ("scores", ["test_x", "test_y"])
    assert contents[0].startswith(begins)
    assert contents[0] == contents[1]


RUN = "RUN"
BAD = [
    (["scores", RUN, "--out", "f.gif"], "expected a figure that ends with .png, .pdf or .svg, found f.gif"),
    (["scores", "--out", "f.png"], "expected run folders, found none; as in: pagen figure scores RUN --dataset folder"),
    (["indicators", RUN, "OTHER", "--video", "test_x", "--out", "f.png"], "expected one of the run folders, found 2"),
    (["maps", RUN, "--out", "f.png"], "expected one of the videos as --video, found none; as in: --video test_01"),
    (["maps", RUN, "--video", "test_x", "test_y", "--out", "f.png"], "expected one of the videos as --video, found 2"),
    (["scores", RUN, "--video", "test_z", "--out", "f.png"], "no test video of folder named 'test_z'; did you mean"),
    (
        ["maps", RUN, "--video", "test_x", "--frame", "30", "--out", "f.png"],
        "expected a --frame from 0 to 29 of test_x",
    ),
    (["scores", RUN, "--frame", "3", "--out", "f.png"], "expected no --frame for scores"),
    (["scores", RUN, "--names", "a", "b", "--out", "f.png"], "expected a name for each of 1 runs, found 2"),
    (["scores", RUN, "--width", "0.5", "--out", "f.png"], "expected a width from 1 to 40 inches, found 0.5"),
    (["maps", RUN, "--video", "test_x", "--width", "1", "--out", "f.png"], "expected room for 3 pictures beside each"),
    (
        ["indicators", RUN, "--video", "test_x", "--width", "1", "--out", "f.png"],
        "expected room for 5 frames beside each",
    ),
    (["scores", RUN, RUN, "--out", "f.png"], "expected each run once, found"),
    (["scores", RUN, "--protocol", "all", "--out", "f.png"], "expected one protocol for a figure, found all"),
    (
        ["measures", "FEATURES", "--video", "test_x", "--frame", "1", "--out", "f.png"],
        "expected a run of a network over",
    ),
    (
        ["maps", "FEATURES", "--video", "test_x", "--frame", "1", "--out", "f.png"],
        "expected runs that make maps of errors",
    ),
]


@pytest.mark.parametrize(("words", "expected"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_gets_one_line(
    footage: Path, make_run: MakeRun, tmp_path: Path, words: list[str], expected: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    runs = {RUN: make_run(), "OTHER": make_run(1, "other")}
    if "FEATURES" in words:
        runs["FEATURES"] = make_run(name="features", source="features")
        monkeypatch.setattr("pagen.eval.figures.maps.maps_of_run", lambda *given: [])
    monkeypatch.chdir(tmp_path)
    line = [str(runs.get(word, word)) for word in words]
    with warnings.catch_warnings(), pytest.raises(SystemExit) as end:
        main(["figure", *line, "--dataset", "folder", "--root", str(footage), "--device", "cpu", "--workers", "0"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pagen: {expected}")
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("f.*"))


def test_a_request_without_runs_is_refused_before_footage_is_read() -> None:
    with pytest.raises(PagenError, match="no data set named 'stret'"):
        require_request(Figure("scores", (), "stret", Path("f.png")))


SIGNS = r"$\frac$ _^{ 100 % #1"


@pytest.mark.parametrize("kind", KINDS)
def test_names_may_hold_any_sign(
    kind: str, footage: Path, make_run: MakeRun, luss: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a folder on disk has them: of a clip, and of a run."""
    (footage / "testing/x").rename(footage / "testing" / SIGNS)
    (footage / "labels/x.npy").rename(footage / f"labels/{SIGNS}.npy")
    one = ("--video", f"test_{SIGNS}")
    words = [kind, str(luss), "--dataset", "folder", "--root", str(footage), *one, "--names", SIGNS]
    main(["figure", *words, "--out", str(tmp_path / "f.svg"), "--device", "cpu", "--workers", "0"])
    drawn = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert SIGNS in drawn or kind == "indicators"  # which name neither
