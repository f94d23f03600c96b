from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pagen import cli, convert
from pagen.errors import PagenError

DATA = Path(__file__).parent / "models" / "convert" / "data"
CONFIG = str(DATA / "ldm_small.yaml")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with the official names and shapes and no average; what its weights are is another test's."""
    names = json.loads(gzip.decompress((DATA / "ldm_names.json.gz").read_bytes()))["small"]
    kept = {name: shape for name, shape in names.items() if name.startswith(("model.", "first_stage_model."))}
    path = tmp_path_factory.mktemp("published") / "last.ckpt"
    torch.save({"state_dict": {name: torch.zeros(shape) for name, shape in kept.items()}}, path)
    return path


@pytest.fixture(autouse=True)
def _verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.VERBS, "convert", ("pagen.convert:Convert", "a published checkpoint into a folder"))


def refusal(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """What the command line answers, having left with 2."""
    with pytest.raises(SystemExit) as left:
        cli.main(["convert", *map(str, argv)])
    assert left.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "raw weights" not in line]
    assert len(lines) == 1
    return lines[0]


def test_a_folder_is_written_and_named(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "ldm"
    cli.main(["convert", "ldm-inpainting", str(checkpoint), CONFIG, str(out), "--json"])
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"folder": str(out)}
    assert "no moving average" in printed.err
    index = json.loads((out / "model_index.json").read_text())
    assert index["_class_name"] == "LDMInpaintPipeline"
    assert index["vae"] == ["diffusers", "VQModel"]
    assert index["scheduler"] == ["diffusers", "DDIMScheduler"]
    assert {path.name for path in out.parent.iterdir()} == {"ldm"}
    assert {path.suffix for path in out.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_nothing_is_left_of_what_fails(tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = str(DATA / "ldm_other.yaml")
    (tmp_path / "page.ckpt").write_text("<html>")
    form, out = "ldm-inpainting", tmp_path / "out"
    assert "take the config.yaml of this checkpoint" in refusal(capsys, form, checkpoint, other, out)
    assert "found no file" in refusal(capsys, form, tmp_path / "none.ckpt", CONFIG, out)
    assert "found no file" in refusal(capsys, form, checkpoint, tmp_path / "none.yaml", out)
    assert "download it again" in refusal(capsys, form, tmp_path / "page.ckpt", CONFIG, out)
    assert [path.name for path in tmp_path.iterdir()] == ["page.ckpt"]


def test_a_save_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class Full(convert.LDMInpainting):
        def write(self, folder: Path) -> None:
            (folder / "unet").mkdir(parents=True)
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        convert.run(Full(tmp_path / "a", tmp_path / "b", tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("empty", "file", "link"):
        assert "there already" in refusal(capsys, "ldm-inpainting", checkpoint, CONFIG, tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"


def test_an_unknown_form_is_answered_with_the_nearest() -> None:
    with pytest.raises(PagenError, match="did you mean 'ldm-inpainting'"):
        convert.parse(["ldm-inpaint", "a", "b", "c"])


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_names_the_forms(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        convert.parse(argv)
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in convert.FORMS)


def test_help_of_a_form_names_its_files(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        convert.parse(["ldm-inpainting", "--help"])
    assert left.value.code == 0
    assert "CKPT CONFIG OUT" in capsys.readouterr().out


def test_start_up_loads_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, pagen.convert; sys.exit(any(heavy in sys.modules for heavy in ('torch', 'numpy', 'yaml')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
