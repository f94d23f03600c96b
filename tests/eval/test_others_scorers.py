"""An indicator, a network and a source of others are scored, mapped and streamed through the tables alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pagen.cli import main
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.camera.threshold import read_threshold
from pagen.eval.maps import maps_of_run
from pagen.eval.scores import score_run
from pagen.folders import Folder, digests, write_json
from pagen.footage.images import image_frames
from pagen.footage.listing import IMAGES, listing
from pagen.footage.prepare import prepare
from pagen.models.clip_network import Answer, ClipNetwork
from pagen.models.networks import NETWORKS
from pagen.scoring.frame_score import Frame, FrameScore
from pagen.scoring.indicator_table import INDICATORS, Indicator
from pagen.scoring.sources import SOURCES, Source, Task
from pagen.scoring.stream import open_streamer

pytestmark = pytest.mark.usefixtures("cache")
MakeRun = Callable[..., Path]


class Ghost(ClipNetwork):
    """Expects every frame to look as the window does on average, and the next one as the last."""

    measure: ClassVar[str] = "pse"
    beyond: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self.config = {}
        self.scale = nn.Parameter(torch.ones(1))

    def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
        mean = self.scale * clips.mean(dim=2, keepdim=True).expand_as(clips)
        spread = clips.std(dim=2).mean(dim=(1, 2, 3))
        return Answer({"ghost": mean[:, :, frames]}, {"jump": clips[:, :, -1:]}, {"restless": spread})

    def graph(self, clips: Tensor) -> tuple[Tensor, ...]:
        return (clips,)


@pytest.fixture
def ghost(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of that network; its indicators are registered but for `restless`."""
    monkeypatch.setitem(NETWORKS._table, "Ghost", Ghost)
    monkeypatch.setitem(INDICATORS._table, "ghost", Indicator("dB", False, "how far from the mean"))
    monkeypatch.setitem(INDICATORS._table, "jump", Indicator("length", False, "how far from the last"))
    path = make_run(recipe="ghost", window=8)
    Ghost().save_pretrained(path / "model")
    known = {"p1": -30.0, "median": -20.0, "p99": -5.0}
    names = ("ghost", "ghost_local", "jump", "jump_local", "restless")
    write_json(path / "calibration.json", dict.fromkeys(names, known))
    folder = Folder.begin(path, "run", {}, {})
    folder.record("run", digests(path, [path / "recipe.json", *sorted((path / "model").iterdir())]))
    folder.finish()
    return path


def test_a_network_of_others_is_scored_and_streamed_alike(ghost: Path, footage: Path) -> None:
    scores = score_run(ghost, "folder", Compute(footage, "cpu", 0))
    assert scores.indicators() == ["ghost", "ghost_local", "jump", "jump_local", "restless"]
    frames = list(image_frames(listing(footage / "testing/x", IMAGES)))
    for name in scores.indicators():
        streamer = open_streamer(str(ghost), name, device="cpu")
        np.testing.assert_allclose([streamer(frame).value for frame in frames], scores.of(name)["test_x"], rtol=1e-5)
    assert open_streamer(str(ghost), device="cpu").indicator == "ghost_local"
    assert (scores.of("ghost")["test_x"] < 0).all()  # dB
    assert (scores.of("jump")["test_x"] >= 0).all()  # a length


def test_its_maps_are_those_of_its_first_indicator_at_the_worst_place(ghost: Path, footage: Path) -> None:
    native = prepare("folder", footage, None, workers=0)
    ((indicator, maps),) = maps_of_run(ghost, native, Compute(footage, "cpu", 0))
    assert indicator == "ghost_local"
    assert (ghost / "scores/folder/maps/ghost_local/maps/test_x.npy").exists()
    assert [each.shape for each in maps("test_y")] == [(20, 36)] * 5


def test_a_camera_is_calibrated_and_watched_with_it(ghost: Path, footage: Path) -> None:
    video = str(footage / "testing/x")
    main(["calibrate", str(ghost), "--normal", video, "--false-alarms-per-hour", "1", "--fps", "10", "--device", "cpu"])
    assert read_threshold(ghost).indicator == "ghost_local"
    main(["score", str(ghost), video, "--device", "cpu"])
    assert len((ghost / "live/x/scores.csv").read_text("utf-8").splitlines()) == 1 + 30


class Darkness:
    """Scores frames by how dark they are; needs no network."""

    mapped: ClassVar[str | None] = "darkness"
    instant: ClassVar[bool] = True

    def __init__(self, task: Task, recipe: Any) -> None:
        self.prepared = task.prepared(recipe)

    def scores(self, clip: str) -> dict[str, Any]:
        return {"darkness": 255 - self.prepared.frames(clip).mean(axis=(1, 2, 3))}

    def maps(self, clip: str, size: tuple[int, int]) -> Iterator[Any]:
        return (np.full(size, value) for value in self.scores(clip)["darkness"])


def darkness_of(frame: Frame) -> dict[str, FrameScore]:
    return {"darkness": FrameScore(255 - float(frame.mean()))}


def test_a_source_of_others_goes_through_the_same_table(
    make_run: MakeRun, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Source(lambda run, task: Darkness(task, run.recipe), lambda run, device: lambda: darkness_of)
    path, compute = make_run(source="light"), Compute(footage, "cpu", 0)
    write_json(path / "calibration.json", {"darkness": {}})
    with pytest.raises(PagenError, match="no source of scores named 'light'"):
        score_run(path, "folder", compute)
    monkeypatch.setitem(SOURCES._table, "light", row)
    scores = score_run(path, "folder", compute).of("darkness")["test_x"]
    streamer = open_streamer(str(path), device="cpu")
    frames = image_frames(listing(footage / "testing/x", IMAGES))
    np.testing.assert_allclose([streamer(frame).value for frame in frames], scores)
    ((indicator, maps),) = maps_of_run(path, prepare("folder", footage, None, workers=0), compute)
    assert indicator == "darkness"
    np.testing.assert_allclose([each[0, 0] for each in maps("test_x")], scores)
