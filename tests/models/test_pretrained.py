from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pagen.errors import PagenError
from pagen.models import pretrained
from pagen.models.conv_ae import ConvAE3d


def network(seed: int = 0, **changes: Any) -> ConvAE3d:
    """A network whose statistics are not those that it began with."""
    torch.manual_seed(seed)
    made = ConvAE3d(**{"channels": 2, "widths": [2, 3, 4, 5], "tanh": False, **changes})
    made(torch.randn(2, made.config["channels"], 8, 32, 32))
    return made


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    network().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("changes", [{}, {"widths": "tiny", "tanh": True}, {"widths": (2, 3, 4, 5)}])
def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path, changes: dict[str, Any]) -> None:
    before = network(**changes)
    before.save_pretrained(tmp_path)
    after = ConvAE3d.from_pretrained(tmp_path)
    assert not after.training
    assert json.dumps(after.config) == json.dumps(before.config)
    assert after.state_dict().keys() == before.state_dict().keys()
    for name, tensor in before.state_dict().items():
        assert tensor.dtype == after.state_dict()[name].dtype
        assert torch.equal(tensor, after.state_dict()[name])


def test_a_layout_in_memory_does_not_show_in_the_file(tmp_path: Path) -> None:
    plain = network()
    plain.save_pretrained(tmp_path / "plain")
    plain.to(memory_format=torch.channels_last_3d).save_pretrained(tmp_path / "last")
    files = [(tmp_path / name / pretrained.WEIGHTS).read_bytes() for name in ("plain", "last")]
    assert files[0] == files[1]


def missing_weights(path: Path) -> None:
    (path / pretrained.WEIGHTS).unlink()


def missing_config(path: Path) -> None:
    (path / pretrained.CONFIG).unlink()


def cut(share: float) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        file = path / pretrained.WEIGHTS
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))])

    return damage


def config(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        file = path / pretrained.CONFIG
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return change


def text(content: str) -> Callable[[Path], None]:
    return lambda path: (path / pretrained.CONFIG).write_text(content)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (missing_weights, "missing or damaged"),
        (missing_config, "missing or damaged"),
        (cut(0), "missing or damaged"),
        (cut(0.001), "missing or damaged"),
        (cut(0.5), "missing or damaged"),
        (cut(0.999), "missing or damaged"),
        (text("{"), "missing or damaged"),
        (text("[]"), "missing or damaged"),
        (text("{}"), "missing or damaged"),
        (config(**{"class": "MemAE"}), "expected a ConvAE3d in .*, found a MemAE"),
        (config(channels=1), "expected weights that fit"),
        (config(widths=[2, 3, 4, 6]), "expected weights that fit"),
        (config(widths="papr"), "did you mean 'paper'"),
        (config(widths=7), "expected weights that fit"),
        (config(depth=5), "expected weights that fit"),
    ],
)
def test_what_cannot_be_opened_is_told_in_one_line(saved: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(saved)
    with pytest.raises(PagenError, match=message) as caught:
        ConvAE3d.from_pretrained(saved)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="nowhere"):
        ConvAE3d.from_pretrained(tmp_path / "nowhere")


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_nothing_is_unpickled(saved: Path, tmp_path: Path, save: Callable[[Any, Path], Any]) -> None:
    save({"encoder.0.weight": Trap(tmp_path / "sprung")}, saved / pretrained.WEIGHTS)
    with pytest.raises(PagenError, match="missing or damaged"):
        ConvAE3d.from_pretrained(saved)
    assert not (tmp_path / "sprung").exists()


def test_saving_that_fails_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: dict[str, torch.Tensor], path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(pretrained, "save_file", full)
    with pytest.raises(OSError, match="no space"):
        network(seed=1).save_pretrained(saved)
    assert sorted(file.name for file in saved.iterdir()) == [pretrained.CONFIG, pretrained.WEIGHTS]
    expected, found = network().state_dict(), ConvAE3d.from_pretrained(saved).state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
