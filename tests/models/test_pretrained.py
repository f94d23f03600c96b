from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pagen.errors import PagenError
from pagen.models import pretrained
from pagen.models.conv_ae import ConvAE3d

FILES = [pretrained.CONFIG, pretrained.WEIGHTS, pretrained.CARD]


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
    assert sorted(file.name for file in saved.iterdir()) == sorted(FILES)
    expected, found = network().state_dict(), ConvAE3d.from_pretrained(saved).state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())


def same(found: ConvAE3d, wanted: ConvAE3d) -> bool:
    states = found.state_dict(), wanted.state_dict()
    return states[0].keys() == states[1].keys() and all(
        torch.equal(states[0][name], states[1][name]) for name in states[1]
    )


def test_a_card_that_lies_there_is_replaced_by_a_given_one_alone(saved: Path) -> None:
    card = saved / pretrained.CARD
    assert "# ConvAE3d" in card.read_text()
    card.write_text("mine")
    network().save_pretrained(saved)
    assert card.read_text() == "mine"
    network().save_pretrained(saved, "given")
    assert card.read_text() == "given"


class Hub:
    """Stands in for huggingface_hub: one repository, in a folder."""

    def __init__(self, folder: Path, trouble: Exception | None = None) -> None:
        self.folder, self.trouble = folder, trouble
        self.asked: list[tuple[Any, ...]] = []

    def snapshot_download(self, name: str, revision: str | None, allow_patterns: list[str]) -> str:
        self.asked.append((name, revision, allow_patterns))
        if self.trouble:
            raise self.trouble
        return str(self.folder)

    def create_repo(self, name: str, private: bool, exist_ok: bool) -> None:
        self.asked.append((name, private, exist_ok))
        if self.trouble:
            raise self.trouble

    def upload_folder(self, repo_id: str, folder_path: str) -> Any:
        shutil.copytree(folder_path, self.folder)
        return SimpleNamespace(commit_url=f"https://huggingface.co/{repo_id}/commit/1")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(tmp_path / "hub")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.snapshot_download)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: hub)
    return hub


def test_what_is_pushed_to_the_hub_comes_back(hub: Hub) -> None:
    assert network().push_to_hub("owner/name") == "https://huggingface.co/owner/name/commit/1"
    assert sorted(file.name for file in hub.folder.iterdir()) == sorted(FILES)
    assert same(ConvAE3d.from_pretrained("owner/name", revision="v1"), network())
    assert hub.asked == [("owner/name", True, True), ("owner/name", "v1", FILES)]


def test_a_card_can_be_pushed(hub: Hub) -> None:
    network().push_to_hub("owner/name", "given", private=False)
    assert (hub.folder / pretrained.CARD).read_text() == "given"
    assert hub.asked == [("owner/name", False, True)]


def test_a_folder_wins_over_an_id_and_a_path_is_never_one(hub: Hub, tmp_path: Path) -> None:
    network().save_pretrained("owner/name")
    assert same(ConvAE3d.from_pretrained("owner/name"), network())
    for path in (Path("owner/none"), "none", str(tmp_path / "none")):
        with pytest.raises(PagenError, match="missing or damaged"):
            ConvAE3d.from_pretrained(path)
    assert not hub.asked


def test_a_snapshot_that_is_no_network_is_refused(hub: Hub) -> None:
    hub.folder.mkdir()
    with pytest.raises(PagenError, match="missing or damaged"):
        ConvAE3d.from_pretrained("owner/name")


@pytest.mark.parametrize("trouble", [OSError("no such host\nand more"), RuntimeError(), ValueError("x" * 999)])
def test_a_hub_that_refuses_is_told_in_one_line(hub: Hub, trouble: Exception) -> None:
    hub.trouble = trouble
    calls: list[Callable[[], object]] = [
        lambda: ConvAE3d.from_pretrained("owner/name"),
        lambda: network().push_to_hub("owner/name"),
    ]
    for call in calls:
        with pytest.raises(PagenError, match=r"owner/name.* on the Hugging Face hub, found none in reach") as caught:
            call()
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_the_hub_itself_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(PagenError, match="expected a folder or a network nobody/nothing on the Hugging Face hub"):
        ConvAE3d.from_pretrained("nobody/nothing")
