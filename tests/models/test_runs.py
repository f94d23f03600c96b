from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pagen.errors import PagenError
from pagen.folders import Folder, digests, write_json
from pagen.models.conv_ae import ConvAE3d
from pagen.models.runs import CALIBRATION, MODEL, RECIPE, open_run

ABOUT = {"recipe": "baseline", "size": [32, 48], "window": 16}


def write_run(path: Path, finished: bool = True, kind: str = "run") -> Path:
    torch.manual_seed(0)
    folder = Folder.begin(path, kind, ABOUT, {})
    write_json(path / RECIPE, ABOUT)
    write_json(path / CALIBRATION, {"psnr": {"median": -30.0}})
    ConvAE3d(widths="tiny").save_pretrained(path / MODEL)
    folder.record("run", digests(path, [path / RECIPE, path / CALIBRATION, *(path / MODEL).iterdir()]))
    if finished:
        folder.finish()
    return path


def test_a_run_is_its_recipe_and_its_network(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "run"))
    assert run.path == tmp_path / "run"
    assert run.recipe == ABOUT
    assert run.calibration == {"psnr": {"median": -30.0}}
    assert list(run.single()) == [run]
    assert not run.network.training
    torch.manual_seed(0)
    expected = ConvAE3d(widths="tiny").state_dict()
    assert all(torch.equal(tensor, run.network.state_dict()[name]) for name, tensor in expected.items())


def test_scores_lie_in_a_folder_without_colons(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "run"))
    assert run.scores("folder:walks", "mean") == tmp_path / "run/scores/folder-walks/mean"


def test_a_path_may_be_text(tmp_path: Path) -> None:
    assert open_run(str(write_run(tmp_path / "run"))).recipe == ABOUT  # type: ignore[arg-type]


def test_what_is_no_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="expected a run folder"):
        open_run(tmp_path)
    with pytest.raises(PagenError, match="not finished"):
        open_run(write_run(tmp_path / "half", finished=False))
    with pytest.raises(PagenError, match="found a scores folder"):
        open_run(write_run(tmp_path / "scores", kind="scores"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", [RECIPE, CALIBRATION, f"{MODEL}/model.safetensors", f"{MODEL}/config.json"])
@pytest.mark.parametrize("damage", [Path.unlink, flip])
def test_a_damaged_run_is_refused(tmp_path: Path, file: str, damage: Callable[[Path], None]) -> None:
    path = write_run(tmp_path / "run")
    damage(path / file)
    with pytest.raises(PagenError, match=Path(file).name):
        open_run(path)
