from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from pagen.errors import PagenError
from pagen.hub import CONFIG
from pagen.models.conv_ae import ConvAE3d
from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.models.networks import NETWORKS, open_network
from pagen.models.pretrained import Pretrained

WIDTHS = [2, 3, 4, 5]
SMALL: list[Pretrained] = [
    ConvAE3d(widths=WIDTHS),
    MemAE(widths=WIDTHS, memory=7),
    LUSSAE(widths=WIDTHS, size=(64, 64)),
    Discriminator(features=4, hidden=3),
]


@pytest.mark.parametrize("network", SMALL, ids=lambda network: type(network).__name__)
def test_a_folder_opens_as_what_it_says_it_is(tmp_path: Path, network: Pretrained) -> None:
    network.save_pretrained(tmp_path)
    opened = open_network(tmp_path)
    assert type(opened) is type(network)
    assert not opened.training
    assert json.dumps(opened.config) == json.dumps(network.config)
    assert all(torch.equal(tensor, opened.state_dict()[name]) for name, tensor in network.state_dict().items())


def test_every_network_is_known() -> None:
    assert {type(network).__name__: type(network) for network in SMALL} == {
        name: NETWORKS[name] for name in NETWORKS.names()
    }


def test_another_class_is_named(tmp_path: Path) -> None:
    SMALL[0].save_pretrained(tmp_path)
    (tmp_path / CONFIG).write_text('{"class": "ResNet"}')
    with pytest.raises(PagenError, match=r"expected one of ConvAE3d Discriminator LUSSAE MemAE in .*found a ResNet"):
        open_network(tmp_path)
    with pytest.raises(PagenError, match="missing or damaged"):
        open_network(tmp_path / "nowhere")
