from __future__ import annotations

from pathlib import Path

from huggingface_hub import ModelCard

from pagen.models.conv_ae import ConvAE3d
from pagen.models.pretrained import UNKNOWN
from pagen.models.pretrained import card_of as card


def network() -> ConvAE3d:
    return ConvAE3d(2, [2, 3, 4, 5], tanh=False)


def rows(text: str) -> dict[str, str]:
    cells = (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| "))
    return {key: value for key, value in cells if key not in ("setting", "---")}


def test_a_card_tells_what_the_network_is_and_no_more_than_is_known() -> None:
    text = card(network())
    count = sum(value.numel() for value in network().parameters())
    assert "\n# ConvAE3d\n\nAutoencoder of clips.\n" in text
    assert f"**Trained on** {UNKNOWN}" in text
    assert "**Licence** of the weights: that of the footage they were trained on." in text
    wanted = {"channels": "2", "widths": "[2, 3, 4, 5]", "tanh": "False"}
    assert rows(text) == {"class": "ConvAE3d", "parameters": f"{count:,}", **wanted}


def test_the_hub_understands_the_front_matter() -> None:
    data = ModelCard(card(network())).data.to_dict()
    assert data == {"library_name": "pagen", "license": "other", "tags": ["video-anomaly-detection"]}


def test_a_run_can_say_what_it_knows() -> None:
    text = card(network(), "skip on ped2", "the training split of `ped2`.", {"seed": 0, "batch": 4, "pick": "a|b"})
    assert "\n# skip on ped2\n" in text
    assert "**Trained on** the training split of `ped2`.\n" in text
    assert list(rows(text).items())[-3:] == [("batch", "4"), ("pick", r"a\|b"), ("seed", "0")]


def test_what_it_says_of_loading_works(tmp_path: Path) -> None:
    network().save_pretrained(tmp_path)
    code = (tmp_path / "README.md").read_text().partition("**Load** with `")[2].partition("`")[0]
    imports, _, call = code.partition("; ")
    space = {"path": tmp_path}
    exec(imports, space)
    assert isinstance(eval(call, space), ConvAE3d)
