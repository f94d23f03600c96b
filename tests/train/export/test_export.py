from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from pagen import __version__
from pagen.cli import main
from pagen.errors import PagenError
from pagen.folders import Folder, digests, write_json
from pagen.footage.flow import encode, flow_folder
from pagen.footage.prepare import prepare
from pagen.hub import CONFIG, WEIGHTS
from pagen.models.conv_ae import ConvAE3d, reconstruct
from pagen.models.luss import LUSSAE, predict
from pagen.models.memae import MemAE
from pagen.models.pretrained import Pretrained
from pagen.models.runs import CALIBRATION, MODEL, RECIPE, open_run
from pagen.train.export import export as module
from pagen.train.export import files, graphs
from pagen.train.export.export import Export
from pagen.train.export.files import export

pytestmark = pytest.mark.slow

Exported = Callable[[str, str], dict[str, Any]]

SIZE = (40, 60)
"""Not a multiple of 16, so that what pads is exported too."""
NETWORKS: dict[str, tuple[Callable[[], Pretrained], dict[str, Any]]] = {
    "baseline": (lambda: ConvAE3d(1, "tiny"), {}),
    # at the published 5 / M an untrained memory gives nothing at all
    "memae": (lambda: MemAE(1, "tiny", memory=20, shrink=0.05), {}),
    "luss": (lambda: LUSSAE(1, "tiny", prp="conv"), {}),
    "published": (lambda: LUSSAE(1, "tiny", ffp="released", size=(64, 80)), {"size": [64, 80]}),
    "temporal": (
        lambda: ConvAE3d(3, "tiny"),
        {"source": "flow", "channels": 3, "flow": "dis", "encoding": "uvm", "radius": 8.0},
    ),
}
OUTPUTS = {"luss": ["vcr", "ffp", "prp"], "published": ["vcr", "ffp", "prp"]}


def write_run(path: Path, name: str, finished: bool = True) -> Path:
    """A run folder of an untrained network."""
    make, changes = NETWORKS[name]
    form = {"size": list(SIZE), "channels": 1, "colour": False, "source": "frames", "window": 16}
    recipe = {"recipe": name, "dataset": "folder", **form}
    folder = Folder.begin(path, "run", {}, {})
    write_json(path / RECIPE, recipe | changes)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        make().save_pretrained(path / MODEL)
    write_json(path / CALIBRATION, {})
    files = [path / RECIPE, path / CALIBRATION, path / MODEL / CONFIG, path / MODEL / WEIGHTS]
    folder.record("run", digests(path, files))
    if finished:
        folder.finish()
    return path


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of every network, by its name. Not to be written to."""
    root = tmp_path_factory.mktemp("networks")
    for name in NETWORKS:
        write_run(root / name, name)
    return root


@pytest.fixture
def config(tmp_path: Path, street: Path) -> Export:
    """The export of a run of its own, as a file of torch's."""
    return Export(write_run(tmp_path / "run", "baseline"), root=street, workers=0)


def random_clips(shape: Sequence[int], count: int) -> torch.Tensor:
    values = np.random.default_rng(count).uniform(-1, 1, (count, *shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def by_the_network(run: Path, clips: torch.Tensor) -> list[torch.Tensor]:
    model = open_run(run).network
    with torch.inference_mode():
        return list(predict(model, clips)) if isinstance(model, LUSSAE) else [reconstruct(model, clips)]


def by_onnx_runtime(file: str, clips: torch.Tensor) -> list[torch.Tensor]:
    session = onnxruntime.InferenceSession(file)
    return [torch.from_numpy(value) for value in session.run(None, {"clips": clips.numpy()})]


def by_torch(file: str, clips: torch.Tensor) -> list[torch.Tensor]:
    values = torch.export.load(file).module()(clips)
    return list(values) if isinstance(values, tuple) else [values]


@pytest.fixture(scope="module")
def exported(networks: Path, street: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """What `export` returns of a network in a format; the file is written once."""
    root = tmp_path_factory.mktemp("exported")

    @lru_cache
    def exported(name: str, form: Any) -> dict[str, Any]:
        out = root / f"{name}{module.SUFFIXES[form]}"
        return export(Export(networks / name, form, root=street, out=out, workers=0))

    return exported


def same(note: dict[str, Any], run: Path) -> bool:
    """Whether a file gives what the network gives on clips that the export has not seen, alone and by threes."""
    for count in (1, 3):
        clips = random_clips(note["shape"], count)
        found = (by_onnx_runtime if note["format"] == "onnx" else by_torch)(note["file"], clips)
        assert found[0].shape == clips.shape
        assert found[0].std() > 1e-3
        for value, wanted in zip(found, by_the_network(run, clips), strict=True):
            torch.testing.assert_close(value, wanted, rtol=0, atol=1e-4)
    return 0 <= note["difference"] <= 1e-4


@pytest.mark.parametrize(
    ("name", "form"), [*product(("memae", "luss"), ("torch", "onnx")), ("temporal", "torch"), ("published", "onnx")]
)
def test_a_file_gives_what_the_network_gives(name: str, form: str, networks: Path, exported: Exported) -> None:
    note = exported(name, form)
    assert same(note, networks / name)
    assert note["outputs"] == OUTPUTS.get(name, ["reconstruction"])


def test_a_file_tells_where_it_comes_from(exported: Exported) -> None:
    about = {"pagen": __version__, "recipe": "luss", "dataset": "folder"}
    note = exported("luss", "onnx")
    session = onnxruntime.InferenceSession(note["file"])
    assert session.get_modelmeta().custom_metadata_map.items() >= about.items()
    (taken,), given = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, taken.shape) == ("clips", "tensor(float)", ["batch", 1, 16, *SIZE])
    assert {value.name: value.shape for value in given} == {
        "vcr": ["batch", 1, 16, *SIZE],
        "ffp": ["batch", 1, 1, *SIZE],
        "prp": ["batch", 2],
    }
    assert (note["opset"], note["shape"]) == (18, ["B", 1, 16, *SIZE])
    files = {"pagen.json": ""}
    torch.export.load(exported("luss", "torch")["file"], extra_files=files)
    assert json.loads(files["pagen.json"]) == about


@pytest.mark.parametrize("form", ["torch", "onnx"])
def test_a_file_holds_neither_footage_nor_paths(form: str, exported: Exported) -> None:
    note = exported("memae", form)
    data = Path(note["file"]).read_bytes()
    assert str(Path(module.__file__).parent).encode() not in data
    assert str(Path(torch.__file__).parent).encode() not in data
    if form == "torch":
        assert torch.export.load(note["file"]).example_inputs is None
    else:
        parameters = sum(value.numel() for value in NETWORKS["memae"][0]().parameters())
        assert len(data) < 4 * parameters + 100_000


def test_notes_of_all_files_lie_beside(exported: Exported) -> None:
    notes = [exported("luss", form) for form in ("torch", "onnx")]
    folder = Path(notes[0]["file"]).parent
    kept = json.loads((folder / "export.json").read_text())
    for note in notes:
        assert kept[Path(note["file"]).name] == {key: value for key, value in note.items() if key != "file"}
    assert not list(folder.glob(".tmp-*"))


def test_clips_are_first_windows_and_then_the_next(networks: Path, street: Path) -> None:
    names, clips = files._real_clips(open_run(networks / "baseline"), Export(networks, root=street, workers=0))
    small = prepare("folder", street, SIZE, workers=0)
    assert names == small.clips("test")
    frames = small.frames(names[0]).astype(np.float64)[..., 0]
    wanted = np.stack([frames[:16], frames[16:32], frames[32:48], np.repeat(frames[-1:], 16, 0)])[:, None]
    assert clips.dtype == torch.float32
    np.testing.assert_allclose(clips.numpy(), wanted / 127.5 - 1, atol=1e-6)


def test_clips_of_flow_are_encoded(networks: Path, street: Path) -> None:
    names, clips = files._real_clips(open_run(networks / "temporal"), Export(networks, root=street, workers=0))
    flow = flow_folder(prepare("folder", street, SIZE, workers=0), names, workers=0).flow(names[0])
    assert len(flow) == 47
    np.testing.assert_array_equal(clips[1].numpy(), encode(flow[16:32], "uvm", 8.0))
    np.testing.assert_array_equal(clips[2, :, -1].numpy(), encode(flow[46:], "uvm", 8.0)[:, 0])


def test_the_verb_prints_json_and_nothing_else(config: Export, capfd: pytest.CaptureFixture[str]) -> None:
    argv = ["export", str(config.run), "--format", "onnx", "--root", str(config.root), "--workers", "0", "--json"]
    main(argv)
    printed = capfd.readouterr()
    result = json.loads(printed.out)
    assert printed.err == ""
    file = config.run / "export/model.onnx"
    assert (result["file"], result["format"], result["dataset"]) == (str(file), "onnx", "folder")
    assert same(result, config.run)
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert end.value.code == 2
    assert capfd.readouterr().err.startswith(f"pagen: expected no file at {file}, found one; give --overwrite")


def test_a_file_is_replaced_when_asked(config: Export, capfd: pytest.CaptureFixture[str]) -> None:
    config.file.parent.mkdir()
    config.file.write_text("old")
    module.run(replace(config, overwrite=True))
    printed = capfd.readouterr()
    assert printed.out.startswith(f"{config.file}: takes clips (B, 1, 16, 40, 60), differs from the run by ")
    assert printed.err == ""
    note = json.loads(config.file.with_name("export.json").read_text())["model.pt2"]
    assert same({**note, "file": config.file}, config.run)


@pytest.mark.parametrize("spoilt", [lambda value: value + 1e-3, lambda value: value * torch.nan], ids=["far", "nan"])
def test_a_file_that_differs_is_not_left(
    spoilt: Callable[[Any], Any], config: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = open_run(config.run).network

    def loaded(data: bytes, form: str) -> Callable[[torch.Tensor], Any]:
        return lambda clips: spoilt(reconstruct(network, clips)) if len(clips) > 1 else reconstruct(network, clips)

    monkeypatch.setattr(graphs, "serialised", lambda *_: b"")
    monkeypatch.setattr(graphs, "loaded", loaded)
    with pytest.raises(PagenError, match=r"differ from .*run by 0\.0001 at most, found (0\.001|nan) "):
        export(config)
    assert not config.file.parent.exists()


def test_a_missing_package_is_named(config: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PagenError, match=r"found no onnxruntime; pip install 'pagen\[onnx\]'"):
        module.run(replace(config, format="onnx"))
    files._require_packages("torch")


def test_runs_that_cannot_be_exported_are_refused(config: Export, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="expected a run folder of pagen at"):
        module.run(Export(tmp_path / "none"))
    with pytest.raises(PagenError, match="is not finished"):
        module.run(Export(write_run(tmp_path / "unfinished", "baseline", finished=False)))
    with pytest.raises(PagenError, match="did you mean 'folder'"):
        module.run(replace(config, dataset="foldr"))
    assert not list(tmp_path.rglob("export"))


def test_a_run_of_features_is_refused(config: Export) -> None:
    run = open_run(config.run)
    other = replace(run, recipe={**run.recipe, "recipe": "discriminator", "source": "features"})
    with pytest.raises(PagenError, match=r"expected the run of an autoencoder at .*, found discriminator"):
        files._real_clips(other, config)


@pytest.mark.parametrize("notes", ["{", "[1]", '{"model.onnx": 3}'])
def test_notes_that_cannot_be_kept_are_refused(notes: str, config: Export) -> None:
    config.file.parent.mkdir()
    config.file.with_name("export.json").write_text(notes)
    with pytest.raises(PagenError, match=r"expected .* in .*export\.json, found .*; remove it"):
        export(config)
    assert not config.file.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"tolerance": 0.0}, "expected --tolerance above zero, found 0"),
        ({"tolerance": float("nan")}, "found nan"),
        ({"out": Path("model.onnx")}, r"expected --out to end in \.pt2 for --format torch, found model\.onnx"),
    ],
)
def test_flags_that_cannot_be_are_refused(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        Export(Path("run"), **flags)


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["export", "run", "--format", "onxx"])
    assert end.value.code == 2
    assert "onxx" in capsys.readouterr().err
