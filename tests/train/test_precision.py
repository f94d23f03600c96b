"""Mixed precision: what `auto` comes to, and that a run says what it was trained with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pagen.device import mixed_precision
from pagen.folders import tree_hash
from pagen.train.config import Train, identity_of
from pagen.train.session import train

Tiny = Callable[..., Any]


def on_a_processor_with(monkeypatch: pytest.MonkeyPatch, **capabilities: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, **capabilities}, raising=False)


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [({"amx_bf16": True}, "bf16"), ({"avx512_bf16": True, "amx_bf16": False}, "bf16"), ({"amx_tile": True}, "no")],
)
def test_auto_is_bf16_where_the_processor_multiplies_it(
    capabilities: dict[str, bool], wanted: str, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_processor_with(monkeypatch, **capabilities)
    assert mixed_precision("cpu") == wanted
    for asked, found in (("auto", wanted), ("no", "no"), ("bf16", "bf16")):
        config = Train(tiny("baseline", precision=asked), "street", device="cpu")
        assert identity_of(config)["precision"] == found


def test_a_torch_that_does_not_tell_trains_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert mixed_precision("cpu") == "no"


@pytest.mark.slow
def test_a_run_says_what_it_was_trained_with(
    configure: Callable[..., Train[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_processor_with(monkeypatch, amx_bf16=True)
    weights = {}
    for asked in ("auto", "bf16", "no"):
        path = tmp_path / asked
        train(configure("baseline", path, precision=asked))
        assert json.loads((path / "recipe.json").read_text())["precision"] == ("no" if asked == "no" else "bf16")
        weights[asked] = tree_hash(path / "model")
    assert weights["auto"] == weights["bf16"] != weights["no"]
