from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.eval.transfer.feeding import require_fed
from pagen.models.runs import Run

TARGETS = ("ped2", "street")


def run_of(**recipe: Any) -> Run:
    return Run(Path("runs/one"), {"recipe": "one", "dataset": "ped2", **recipe}, {})


def density(**recipe: Any) -> Run:
    return Run(Path("runs/density"), {"recipe": "knn", "source": "density", "dataset": "ped2", **recipe}, {})


@pytest.mark.parametrize(
    ("field", "advice"),
    [
        ("flow", "train with --flow dis, or leave the run out"),
        ("boxes", "train with --boxes motion, or leave the run out"),
        ("poses", "train with --poses vitpose:MODEL, or leave the run out"),
        ("anything", "alone in runs/one; leave the run out"),
    ],
)
def test_files_of_one_data_set_serve_no_other(field: str, advice: str) -> None:
    run = run_of(**{field: "file:somewhere"})
    words = f"expected {field} that can be computed for street, found file:somewhere of ped2 alone in runs/one"
    with pytest.raises(PagenError) as raised:
        require_fed([run], TARGETS, "cpu")
    assert str(raised.value).startswith(words)
    assert str(raised.value).endswith(advice)


@pytest.mark.parametrize("targets", [("ped2",), ("ped2:mixed",)])
def test_their_own_data_set_they_serve(targets: tuple[str, ...]) -> None:
    require_fed([run_of(flow="file:somewhere")], targets, "cpu")


def test_every_member_is_looked_at() -> None:
    whole = Run(Path("runs/two"), {"dataset": "ped2"}, {}, {"a": run_of(flow="dis"), "b": run_of(flow="file:x")})
    with pytest.raises(PagenError, match="expected flow that can be computed for street"):
        require_fed([whole], TARGETS, "cpu")


def test_features_of_files_serve_each_data_set_that_has_a_folder(tmp_path: Path) -> None:
    (tmp_path / "ped2").mkdir()
    np.save(tmp_path / "ped2/test_01.npy", np.zeros((3, 4), np.float32))
    run = density(features=f"file:{tmp_path}")
    with pytest.raises(PagenError, match=f"found no folder street in {tmp_path}, which runs/density of ped2 looks at"):
        require_fed([run], TARGETS, "cpu")
    (tmp_path / "street-square").mkdir()
    require_fed([run], ("ped2", "street:square"), "cpu")


def test_what_features_look_through_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pagen.eval.transfer import feeding

    monkeypatch.setattr(feeding, "open_run", lambda path: run_of(flow="file:maps"))
    with pytest.raises(PagenError, match="expected flow that can be computed for street, found file:maps of ped2"):
        require_fed([density(features="latents:runs/one")], TARGETS, "cpu")


def test_a_run_that_features_are_codes_of_and_that_is_gone_is_named() -> None:
    with pytest.raises(PagenError, match="expected a run folder of pagen at runs/gone"):
        require_fed([density(features="tube:runs/gone")], TARGETS, "cpu")


def test_boxes_by_a_detector_that_is_missing_are_told_before_anything_is_prepared() -> None:
    with pytest.raises(PagenError, match="nowhere"):
        require_fed([density(features="velocity", boxes="detector:/nowhere")], TARGETS, "cpu")
