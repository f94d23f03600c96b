"""`pagen features`: what it prints and writes, that it goes on, and what it refuses in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.cli import main
from pagen.errors import PagenError
from pagen.features.extract import FeatureFolder
from pagen.features.features import Features
from pagen.folders import Folder, digests, tree_hash
from pagen.models.conv_ae import ConvAE3d
from pagen.spread_ray import Cluster

Ask = Callable[..., Any]


@pytest.fixture
def ask(root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ask:
    """`ask(KIND, *flags)`: the result, or the line on stderr."""

    def answer(*words: str | Path) -> Any:
        capsys.readouterr()
        with suppress(SystemExit):
            main([str(word) for word in ("features", "--root", root, "--workers", "0", "--json", *words)])
            return json.loads(capsys.readouterr().out)
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count("\n"), printed.err[:7]) == ("", 1, "pagen: ")
        assert not list(tmp_path.rglob(".tmp-*"))
        return printed.err[7:-1]

    return answer


def opened(path: Path | str) -> FeatureFolder:
    return FeatureFolder(Folder.open(Path(path), "features"))


def test_it_says_what_it_wrote(ask: Ask, clip: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(f"clip:{clip}", "--dataset", "folder")
    assert found == {"path": found["path"], "clips": 2, "rows": 15, "features": 12}
    assert sorted(opened(found["path"]).folder.items) == ["test_x", "train_a"]
    main(["features", f"clip:{clip}", "--dataset", "folder", "--root", str(root)])
    printed = capsys.readouterr().out
    assert printed == f"clip:{clip} of folder: 2 clips, 15 rows of 12 numbers\n{found['path']}\n"


def test_a_folder_grows_and_goes_on(ask: Ask, clip: Path, tmp_path: Path) -> None:
    command = (f"clip:{clip}", "--dataset", "folder", "--out")
    assert ask(*command, tmp_path / "whole")["rows"] == 15
    out = tmp_path / "parts"
    assert ask(*command, out, "--split", "test") == {"path": str(out), "clips": 1, "rows": 6, "features": 12}
    assert ask(*command, out, "--split", "train")["rows"] == 9
    (out / "features/test_x.npy").unlink()
    assert ask(*command, out)["rows"] == 15
    assert tree_hash(out) == tree_hash(tmp_path / "whole")


def test_features_of_another_run_are_not_mixed(ask: Ask, make_run: Callable[..., Path], tmp_path: Path) -> None:
    first, second = (make_run(ConvAE3d(1, (2, 2, 2, 3))) for _ in range(2))
    out = tmp_path / "out"
    assert ask(f"latents:{first}", "--dataset", "folder", "--out", out)["features"] == 3
    line = ask(f"latents:{second}", "--dataset", "folder", "--out", out)
    assert line.startswith(f"{out} was made otherwise: model ")
    assert line.endswith("give another --out, or --overwrite")
    assert "of 'latents' there, 'locations' asked" in ask(f"locations:{first}", "--dataset", "folder", "--out", out)
    assert ask(f"latents:{second}", "--dataset", "folder", "--out", out, "--overwrite")["rows"] == 15
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    line = ask(f"latents:{first}", "--dataset", "folder", "--out", tmp_path / "full", "--overwrite")
    assert line == f"{tmp_path / 'full'} is not a pagen folder and is not empty; give another --out, or remove it"


def test_damaged_and_pickled_features_are_refused(ask: Ask, clip: Path, tmp_path: Path) -> None:
    ask(f"clip:{clip}", "--dataset", "folder", "--out", tmp_path / "damaged")
    (tmp_path / "damaged/features/test_x.npy").write_bytes(b"")
    with pytest.raises(PagenError, match=r"damaged file .*test_x\.npy: expected \d+ bytes, found 0"):
        opened(tmp_path / "damaged")
    folder = Folder.begin(tmp_path / "pickled", "features", {"features": 1}, {})
    file = folder.path / "features/x.npy"
    file.parent.mkdir()
    np.save(file, np.array([{"a": 1}], object), allow_pickle=True)
    folder.record("x", digests(folder.path, [file]))
    folder.finish()
    with pytest.raises(PagenError, match=r"damaged file .*x\.npy: expected an array of numbers, found pickled objects"):
        opened(folder.path).features("x")


def test_weights_that_give_no_numbers_are_told(ask: Ask, make_run: Callable[..., Path], tmp_path: Path) -> None:
    network = ConvAE3d(1, (2, 2, 2, 3))
    network.encoder[0].bias.data[0] = np.nan
    line = ask(f"latents:{make_run(network)}", "--dataset", "folder", "--out", tmp_path / "out")
    assert "expected finite features, found NaN or infinity in" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lite0", "--dataset", "pde2"), "no data set named 'pde2'; did you mean 'ped2'?"),
        (("lte0", "--dataset", "folder"), "no features named 'lte0'; did you mean 'lite0'?"),
        (("velocity", "--dataset", "folder", "--boxes", "detctor:x"), "no kind of boxes named 'detctor'"),
        (("lite0", "--dataset", "folder", "--bins", "3"), "expected no --bins with features lite0, found 3"),
        (("lite0", "--dataset", "folder", "--size", "8", "8"), "expected a --size of 16 pixels and more a side"),
        (("lite0", "--dataset", "folder", "--address", "here:1"), "expected --engine ray with --address"),
        (("latents:nowhere", "--dataset", "folder"), "expected a run folder of pagen at nowhere"),
    ],
)
def test_slips_get_one_line(words: tuple[str, ...], message: str, ask: Ask) -> None:
    assert ask(*words).startswith(message)


def test_a_split_without_clips_is_told(ask: Ask, write_folder: Callable[..., Path], tmp_path: Path) -> None:
    alone = write_folder(tmp_path / "alone", {"training/a": 3})
    line = ask("velocity", "--dataset", "folder", "--split", "test", "--root", alone)
    assert line.startswith("expected test clips in folder, found none")


def test_clips_are_spread_over_what_is_asked_for() -> None:
    assert Features(of="lite0", dataset="ped2", workers=3).spread_over == 3
    ray = Features(of="lite0", dataset="ped2", workers=3, engine="ray", address="head:6379")
    assert ray.spread_over == Cluster("head:6379", 3)
