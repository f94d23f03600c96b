"""Scoring on a Ray cluster: the same bytes and the same tables as by local processes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pagen.cli import main
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.evaluate import Evaluate
from pagen.eval.transfer.transfer import Transfer
from pagen.folders import tree_hash
from pagen.spread_ray import Cluster, quiet_ray

pytestmark = pytest.mark.usefixtures("cache")
VERBS = {"evaluate": ("--dataset", "folder", "--root"), "transfer": ("--datasets", "folder", "--roots")}


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_run_is_scored_on_a_cluster(
    verb: str, footage: Path, make_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run, found = make_run(), []
    for engine in ("local", "ray"):
        shutil.rmtree(run / "scores", ignore_errors=True)
        command = [verb, str(run), *VERBS[verb], str(footage), "--engine", engine, "--workers", "1", "--device", "cpu"]
        main([*command, "--json"])
        found.append((json.loads(capsys.readouterr().out), tree_hash(run / "scores")))
    assert found[0] == found[1]
    assert not quiet_ray({}).is_initialized()


def test_what_is_computed_goes_where_the_flags_say() -> None:
    evaluate = Evaluate((), "street", engine="ray", address="head:6379", workers=3)
    assert Compute.of(evaluate).workers == Cluster("head:6379", 3)
    assert Compute.of(Transfer((), ("street",), workers=2)).workers == 2
    for verb in (lambda: Evaluate((), "street", address="head:1"), lambda: Transfer((), (), address="head:1")):
        with pytest.raises(PagenError, match="expected --engine ray with --address, found --engine local"):
            verb()
