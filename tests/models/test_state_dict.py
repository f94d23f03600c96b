from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.optim import SGD, Adam
from torch.optim.swa_utils import AveragedModel

from pagen.errors import PagenError
from pagen.models.state_dict import TOP, places_of, tensors_of, weights_in

ROOTS = [("encoder", "decoder"), ("head",)]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


NET = Net()
STATE = NET.state_dict()


def same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor] = STATE) -> bool:
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)


def under(prefix: str, state: Mapping[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


def stepped(kind: type[Any], **settings: Any) -> dict[str, Any]:
    """The state of an optimiser that has made a step."""
    network = Net()
    optimiser = kind(network.parameters(), lr=0.1, **settings)
    network(torch.ones(2, 2)).sum().backward()
    optimiser.step()
    return optimiser.state_dict()  # type: ignore[no-any-return]


WRAPPED: dict[str, Callable[[], Any]] = {
    "bare": lambda: STATE,
    "Lightning": lambda: {"state_dict": under("model."), "optimizer_states": [stepped(Adam)], "callbacks": {}},
    "DataParallel": lambda: nn.DataParallel(NET).state_dict(),
    "torch.compile": lambda: {"model": torch.compile(NET).state_dict(), "epoch": 3},
    "torch.compile in DDP": lambda: {"net": under("module._orig_mod.")},
    "DDP in torch.compile": lambda: under("_orig_mod.module."),
    "FSDP": lambda: under("_fsdp_wrapped_module."),
    "Fabric": lambda: {"model": under("_forward_module.")},
    "DeepSpeed": lambda: {"module": STATE, "optimizer": None, "ds_version": "0.9"},
    "PyTorch's tutorial": lambda: {"model_state_dict": STATE, "optimizer_state_dict": stepped(Adam), "loss": 0.4},
    "a tensor of the loss": lambda: {"net": STATE, "loss": torch.tensor(0.4), "losses": torch.ones(9)},
    "SGD with momentum": lambda: {"weights": STATE, "optimizer": stepped(SGD, momentum=0.9)},
    "an optimiser by names": lambda: {
        "model": STATE,
        "optim": {"state": {name: {"exp_avg": value, "step": torch.tensor(1.0)} for name, value in STATE.items()}},
    },
    "an average alone": lambda: {"averaged": AveragedModel(NET).state_dict()},
    "a list": lambda: {"models": [STATE], "scores": [0.1, 0.2]},
    "another network beside it": lambda: {"generator": STATE, "discriminator": {"fc.weight": torch.ones(2)}},
    "a network within one": lambda: {"state_dict": {**under("net.autoencoder."), "criterion.weight": torch.ones(2)}},
    "the same table twice": lambda: {"model": STATE, "best": STATE},
}


@pytest.mark.parametrize("how", WRAPPED)
def test_weights_are_found_in_whatever_they_are_wrapped(how: str) -> None:
    assert same(weights_in(WRAPPED[how](), ROOTS))


AVERAGE = {name: value + 1 for name, value in STATE.items()}
SEVERAL: dict[str, tuple[Any, dict[str, Mapping[str, Tensor]]]] = {
    "timm": ({"state_dict": STATE, "state_dict_ema": AVERAGE}, {"state_dict": STATE, "state_dict_ema": AVERAGE}),
    "BasicSR": ({"params": STATE, "params_ema": AVERAGE}, {"params": STATE, "params_ema": AVERAGE}),
    "ema_pytorch": (
        {**under("online_model."), **under("ema_model.module.", AVERAGE), "initted": torch.tensor([True])},
        {"online_model": STATE, "ema_model": AVERAGE},
    ),
    "AveragedModel": (
        {"net": STATE, "swa": {**under("module.", AVERAGE), "n_averaged": torch.tensor(3)}},
        {"net": STATE, "swa": AVERAGE},
    ),
    "within": ({"state_dict": {**STATE, **under("ema.", AVERAGE)}}, {"state_dict": STATE, "state_dict.ema": AVERAGE}),
    "beside tables": ({**STATE, "ema": {"shadow": AVERAGE, "decay": 0.99}}, {TOP: STATE, "ema.shadow": AVERAGE}),
}


@pytest.mark.parametrize("how", SEVERAL)
def test_of_several_places_none_is_taken_unasked(how: str) -> None:
    content, places = SEVERAL[how]
    with pytest.raises(PagenError, match="expected --weights with one of the places where such weights lie") as told:
        weights_in(content, ROOTS)
    shown = str(told.value).partition("lie: ")[2].partition(", found none; such as --weights ")
    assert sorted(shown[0].split()) == sorted(places)
    assert shown[2].split()[0] in places
    for place, expected in places.items():
        assert same(weights_in(content, ROOTS, place), expected)
    with pytest.raises(PagenError, match="found nowhere; such as"):
        weights_in(content, ROOTS, "nowhere")


def test_what_is_not_there_is_told_with_what_is() -> None:
    content = {"model": {"fc.weight": torch.ones(2), "fc.bias": torch.ones(2)}, "head_": {"a.b": torch.ones(1)}}
    with pytest.raises(
        PagenError, match=r"encoder\.\* and decoder\.\* or head\.\*.*found 2 at model\.fc\.weight, 1 at"
    ):
        weights_in(content, ROOTS)
    for empty in ({}, [], None, 3, {"encoder": 3}, {0: torch.ones(1), "a": {}}):
        with pytest.raises(PagenError, match="found none at all; who knows"):
            weights_in(empty, ROOTS, question="who knows")
    with pytest.raises(PagenError, match=r"expected one weight encoder\.0\.weight, found two"):
        weights_in({**STATE, "module": STATE | {}}, ROOTS)


def test_tables_that_hold_each_other_end() -> None:
    content: dict[str, Any] = {"model": STATE}
    content["self"] = content
    many: Any = [STATE]
    for _ in range(60):
        many = [many, many]
    assert same(weights_in({**content, "more": many}, ROOTS))


KEYS = st.sampled_from(["state_dict", "model", "net", "model_state_dict", "module", "best", "ema", "checkpoint", "G"])
PREFIXES = st.lists(st.sampled_from(["module", "_orig_mod", "model", "net"]), max_size=3)
BESIDE = st.dictionaries(
    st.sampled_from(["loss", "epoch", "optimizer", "args", "history", "lr", "other"]),
    st.sampled_from([0.5, 3, None, "text", torch.tensor(0.5), [0.1, 0.2], stepped(Adam), {"fc.weight": torch.ones(2)}]),
)


@given(st.lists(st.tuples(KEYS, BESIDE), max_size=5), PREFIXES)
def test_weights_are_found_however_deep_they_lie(nesting: list[tuple[str, dict[str, Any]]], prefix: list[str]) -> None:
    content: Any = under("".join(f"{word}." for word in prefix))
    words = list(prefix)
    for key, beside in nesting:
        content, words = {**beside, key: content}, [key, *words]
    assert same(weights_in(content, ROOTS))
    place = ".".join(word for word in words if word not in ("module", "_orig_mod"))
    assert places_of([found.name for found in tensors_of(content)], ROOTS) == [f"{place}." if place else ""]
    assert same(weights_in(content, ROOTS, place or TOP))
    both = {"raw": content, "average": AVERAGE}
    assert same(weights_in(both, ROOTS, "average"), AVERAGE)
    with pytest.raises(PagenError, match="expected --weights"):
        weights_in(both, ROOTS)
