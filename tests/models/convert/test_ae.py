from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pagen import cli
from pagen.convert import AE
from pagen.errors import PagenError
from pagen.models.conv_ae import ConvAE3d
from pagen.models.convert.ae import NETWORKS, convert
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.models.networks import open_network
from pagen.models.pretrained import Pretrained

WIDTHS = (2, 3, 4, 5)
State = dict[str, Tensor]


def down(inward: int, outward: int, time: int = 2) -> list[nn.Module]:
    return [nn.Conv3d(inward, outward, 3, (time, 2, 2), 1), nn.BatchNorm3d(outward), nn.LeakyReLU(0.2)]


def up(inward: int, outward: int) -> list[nn.Module]:
    convolution = nn.ConvTranspose3d(inward, outward, 3, 2, 1, output_padding=1)
    return [convolution, nn.BatchNorm3d(outward), nn.LeakyReLU(0.2)]


def halves(channels: int = 1, widths: tuple[int, ...] = WIDTHS) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder and decoder written out by the table of the published layers, with the statistics of noise."""
    torch.manual_seed(0)
    a, b, c, d = widths
    end = nn.ConvTranspose3d(a, channels, 3, (1, 2, 2), 1, output_padding=(0, 1, 1))
    encoder = nn.Sequential(*down(channels, a, 1), *down(a, b), *down(b, c), *down(c, d))
    decoder = nn.Sequential(*up(d, c), *up(c, b), *up(b, a), end)
    for norm in (module for module in (*encoder, *decoder) if isinstance(module, nn.BatchNorm3d)):
        norm.momentum = 1.0
    decoder(encoder(torch.randn(2, channels, 8, 32, 32)))
    return encoder.eval(), decoder.eval()


def under(prefix: str, module: nn.Module) -> State:
    return {f"{prefix}.{name}": value for name, value in module.state_dict().items()}


def nested(encoder: nn.Module, decoder: nn.Module) -> State:
    """As LNTRA and STEAL name them, in torch's DataParallel."""
    return under("module.encoder.encoder", encoder) | under("module.decoder.decoder", decoder)


def flat(encoder: nn.Module, decoder: nn.Module) -> State:
    """As MemAE and its baseline name them."""
    return under("encoder", encoder) | under("decoder", decoder)


def bare(state: State) -> State:
    return {name.removeprefix("module."): value for name, value in state.items()}


def clips(channels: int = 1, *shape: int) -> Tensor:
    return torch.rand(2, channels, *(shape or (8, 32, 48)), generator=torch.Generator().manual_seed(1)) * 2 - 1


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


@torch.no_grad()
def same(network: nn.Module, expected: Callable[[Tensor], Tensor], channels: int = 1) -> None:
    x = clips(channels)
    assert not network.training
    torch.testing.assert_close(network(x), expected(x))


LAYOUTS: list[Callable[[State], Any]] = [
    lambda state: state,
    bare,
    lambda state: {"model_statedict": state, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}, "epoch": 59},
    lambda state: {"model": bare(state), "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]}},
    lambda state: {"state_dict": state},
    lambda state: {"model_state_dict": state, "optimizer_state_dict": {"state": {}}, "loss": torch.tensor(0.1)},
    lambda state: {"net": {f"_orig_mod.{name}": value for name, value in state.items()}, "losses": [0.2, 0.1]},
    lambda state: {"args": argparse.Namespace(lr=1e-4, exp_dir="exp"), "model": state, "epoch": 3},
    lambda state: {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")},
    lambda state: {name: value.double() for name, value in state.items()},
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lntra_and_steal_in_every_layout_of_a_file(tmp_path: Path, layout: Callable[[State], Any]) -> None:
    encoder, decoder = halves()
    network = convert(saved(layout(nested(encoder, decoder)), tmp_path / "a.pth"))
    assert isinstance(network, ConvAE3d)
    assert network.config == {"channels": 1, "widths": list(WIDTHS), "tanh": True}
    same(network, lambda x: decoder(encoder(x)).tanh())


@pytest.mark.parametrize("like", ["auto", "steal"])
def test_safetensors_and_old_files_of_torch(tmp_path: Path, like: str) -> None:
    encoder, decoder = halves(channels=3)
    state = nested(encoder, decoder)
    save_file({f"model.{name}": value for name, value in state.items()}, tmp_path / "a.safetensors")
    torch.save({"model": state}, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    for path in (tmp_path / "a.safetensors", tmp_path / "a.pth"):
        same(convert(path, like), lambda x: decoder(encoder(x)).tanh(), channels=3)


def test_widths_that_have_a_name_get_it(tmp_path: Path) -> None:
    network = convert(saved(nested(*halves(2, (8, 12, 24, 32))), tmp_path / "a.pth"))
    assert network.config == {"channels": 2, "widths": "tiny", "tanh": True}


def test_the_baseline_of_memae_ends_linearly_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder, decoder = halves()
    path = saved(flat(encoder, decoder), tmp_path / "a.pt")
    same(convert(path), lambda x: decoder(encoder(x)))
    assert "ends linearly" in capsys.readouterr().err
    same(convert(path, "memae"), lambda x: decoder(encoder(x)))
    same(convert(path, "lntra"), lambda x: decoder(encoder(x)).tanh())
    assert not capsys.readouterr().err


def test_memae(tmp_path: Path) -> None:
    encoder, decoder = halves()
    memory = 4 * torch.randn(40, WIDTHS[-1], generator=torch.Generator().manual_seed(2))
    least = 5 / 40
    kept = []

    def expected(x: Tensor) -> Tensor:
        code = encoder(x)
        rows = code.permute(0, 2, 3, 4, 1).reshape(-1, WIDTHS[-1])
        weights = torch.exp(rows @ memory.T) / torch.exp(rows @ memory.T).sum(1, keepdim=True)
        weights = torch.relu(weights - least) * weights / ((weights - least).abs() + 1e-12)
        weights = weights / weights.sum(1, keepdim=True).clamp_min(1e-12)
        kept.append((weights > 0).sum(1).float().mean())
        read = (weights @ memory).reshape(code.shape[0], *code.shape[2:], -1).permute(0, 4, 1, 2, 3)
        return decoder(read)  # type: ignore[no-any-return]

    network = convert(saved(flat(encoder, decoder) | {"mem_rep.memory.weight": memory}, tmp_path / "a.pt"))
    assert isinstance(network, MemAE)
    assert network.config["memory"] == 40
    same(network, expected)
    assert 1 <= kept[0] < 10


def luss(encoder: nn.Sequential, decoder: nn.Sequential) -> dict[str, nn.Module]:
    """The six modules of LUSS-AE for 64 x 64, as its code arranges them."""
    blocks = nn.Sequential(*(nn.Sequential(*decoder[first : first + 3]) for first in (0, 3, 6, 9)))
    ahead = nn.Sequential(nn.Conv3d(1, 1, 3, (16, 1, 1), 1), nn.Tanh())
    return {
        "encoder_model": nn.ModuleDict({"encoder": encoder}),
        "decoder_model": nn.ModuleDict({"decoder": blocks, "prediction": ahead}),
        "feature_projector": nn.ModuleDict({"conv2d": nn.Conv2d(WIDTHS[-1], 32, 3, padding=1)}),
        "embed_1": nn.ModuleDict({"fc": nn.Linear(32, 128)}),
        "embed_2": nn.ModuleDict({"fc": nn.Linear(128, 32)}),
        "irreg_predictor": nn.ModuleDict({"fc": nn.Linear(32, 2)}),
    }


@pytest.mark.parametrize("prefix", ["module.", ""])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@torch.no_grad()
def test_luss(tmp_path: Path, prefix: str, suffix: str) -> None:
    encoder, decoder = halves()
    parts: dict[str, Any] = luss(encoder, decoder)
    tables = {
        part: {prefix + name: value for name, value in module.state_dict().items()} for part, module in parts.items()
    }
    path = tmp_path / f"a.{suffix}"
    if suffix == "pth":
        torch.save({**tables, "optimizer": {"state": {}, "param_groups": []}}, path)
    else:
        save_file({f"{part}.{name}": value for part, table in tables.items() for name, value in table.items()}, path)
    network = convert(path)
    assert isinstance(network, LUSSAE)
    assert (network.config["ffp"], network.config["prp"], network.config["size"]) == ("released", "published", (64, 64))
    x = clips(1, 16, 64, 64)
    code = encoder(x)
    decoded = decoder(code)
    pooled = nn.functional.max_pool3d(code, 2)[:, :, 0]
    pooled = nn.functional.max_pool2d(parts["feature_projector"]["conv2d"](pooled), 2).flatten(1)
    hidden = parts["embed_2"]["fc"](parts["embed_1"]["fc"](pooled).relu()).relu()
    found = network(x)
    torch.testing.assert_close(found.vcr, decoded.tanh())
    torch.testing.assert_close(found.ffp, parts["decoder_model"]["prediction"](decoded))
    torch.testing.assert_close(found.logits, parts["irreg_predictor"]["fc"](hidden))


class ConvAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = (nn.ModuleDict({name: half}) for name, half in zip(NAMES, halves(), strict=True))


NAMES = ("encoder", "decoder")


class Settings:
    """What only its authors' code can build."""

    lr = 1e-4


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("form", ["table", "whole", "weights"])
def test_whole_modules_are_refused_with_what_to_do_and_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool, form: str
) -> None:
    """As published: the module, alone or in a table, of a class that its authors alone have; or weights beside one."""
    theirs = ModuleType("model.autoencoder")
    theirs.ConvAE, theirs.Settings = ConvAE, Settings  # type: ignore[attr-defined]
    monkeypatch.chdir(tmp_path)
    for each in (ConvAE, Settings):
        monkeypatch.setattr(each, "__module__", theirs.__name__)
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setitem(sys.modules, "model", ModuleType("model"))
        patch.setitem(sys.modules, theirs.__name__, theirs)
        network = nn.DataParallel(ConvAE())
        optimizer = {"state": {0: {"step": 7}}, "param_groups": []}
        settings = Settings()
        contents = {"table": {"model": network, "optimizer": optimizer}, "whole": network}
        contents["weights"] = {"run": {"model": network.state_dict(), "settings": settings}, "optimizer": optimizer}
        torch.save(contents[form], "lntra.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        PagenError, match=r"objects that only code of others can build: .*(ConvAE|DataParallel|Settings).*lntra\.pth"
    ) as caught:
        convert(Path("lntra.pth"))
    assert "\n" not in str(caught.value)
    advice = str(caught.value).partition("environment: ")[2].partition(", and convert weights.pth")[0]
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setitem(sys.modules, "model", ModuleType("model"))
        patch.setitem(sys.modules, theirs.__name__, theirs)
        patch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # as their torch of 2020 does
        exec(advice, {"torch": torch})
    encoder, decoder = halves()
    same(convert(Path("weights.pth")), lambda x: decoder(encoder(x)).tanh())


def without(name: str) -> Callable[[State], State]:
    return lambda state: {key: value for key, value in state.items() if key != name}


def reshaped(name: str, *shape: int) -> Callable[[State], State]:
    return lambda state: {**state, name: torch.zeros(shape)}


@pytest.mark.parametrize(
    ("change", "like", "message"),
    [
        (without("encoder.4.bias"), "auto", r"ConvAE3d in .*, found 1 missing, among them encoder\.4\.bias"),
        (without("encoder.0.weight"), "auto", r"expected a weight encoder\.0\.weight of 5 axes, found none"),
        (reshaped("encoder.3.weight", 3, 2, 3, 3), "auto", r"of 5 axes, found the shape \(3, 2, 3, 3\)"),
        (reshaped("head.weight", 3), "auto", r"found 1 left over, among them head\.weight"),
        (reshaped("step"), "auto", r"found 1 left over, among them step"),
        (
            reshaped("decoder.9.weight", 2, 3, 3, 3, 3),
            "auto",
            r"decoder\.9\.weight of the shape \(2, 3, 3, 3, 3\) where",
        ),
        (
            reshaped("mem_rep.memory.weight", 7, 4),
            "auto",
            r"MemAE in .*memory\.weight of the shape \(7, 4\) where \(7, 5\)",
        ),
        (reshaped("mem_rep.memory.weight", 7), "auto", r"weight of 2 axes, found the shape \(7,\)"),
        (reshaped("mem_rep.memory.weight", 7, 5), "lntra", r"left over, among them mem_rep\.memory\.weight"),
        (dict, "luss", r"expected a weight prp\.5\.weight of 2 axes, found none of that name"),
        (lambda state: {"fc.weight": torch.ones(2)}, "auto", "is it a checkpoint of one of lntra steal memae luss"),
    ],
)
def test_another_checkpoint_is_refused_in_one_line(
    tmp_path: Path, change: Callable[[State], State], like: str, message: str
) -> None:
    path = saved(change(flat(*halves())), tmp_path / "a.pt")
    with pytest.raises(PagenError, match=message) as caught:
        convert(path, like)
    assert "\n" not in str(caught.value)
    assert "--like tells" in str(caught.value)


def test_an_unknown_kind_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="did you mean 'memae'"):
        convert(tmp_path / "a.pt", "menae")
    assert get_args(get_type_hints(AE)["like"]) == ("auto", *NETWORKS)


def test_the_command_writes_a_folder_that_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    encoder, decoder = halves()
    path, out = saved({"model": nested(encoder, decoder)}, tmp_path / "steal.pth"), tmp_path / "new" / "steal"
    cli.main(["convert", "ae", str(path), str(out), "--like", "steal", "--json"])
    assert json.loads(capsys.readouterr().out) == {"folder": str(out)}
    assert sorted(file.name for file in out.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    network: Pretrained = open_network(out)
    same(network, lambda x: decoder(encoder(x)).tanh())
    card = (out / "README.md").read_text()
    assert "# ConvAE3d from steal.pth" in card
    assert "what the publishers of `steal.pth` (SHA-256 `" in card


def test_an_average_beside_the_weights_is_taken_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder, decoder = halves()
    raw = nested(encoder, decoder)
    average = {name: value * 2 if value.is_floating_point() else value for name, value in raw.items()}
    path, out = saved({"model": raw, "ema": average, "loss": torch.tensor(0.1)}, tmp_path / "a.pth"), tmp_path / "out"
    with pytest.raises(SystemExit):
        cli.main(["convert", "ae", str(path), str(out)])
    advised = capsys.readouterr().err.partition("such as ")[2].split()[:2]
    assert advised[0] == "--weights"
    cli.main(["convert", "ae", str(path), str(out), *advised])
    cli.main(["convert", "ae", str(path), str(tmp_path / "average"), "--weights", "ema"])
    first = [open_network(folder).state_dict()["encoder.0.weight"] for folder in (out, tmp_path / "average")]
    torch.testing.assert_close(first[1], 2 * encoder.state_dict()["0.weight"])
    torch.testing.assert_close(first[0], (2 if advised[1] == "ema" else 1) * encoder.state_dict()["0.weight"])


def test_nothing_is_left_of_what_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved({"fc.weight": torch.ones(2)}, tmp_path / "a.pth")
    with pytest.raises(SystemExit) as left:
        cli.main(["convert", "ae", str(path), str(tmp_path / "out")])
    assert left.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [path]
