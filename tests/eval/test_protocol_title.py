"""The lines above a table: of factors, exceptions and weights those that play a part in what is in it."""

from __future__ import annotations

import re

import pytest

from pagen.eval.protocol import Protocol
from pagen.eval.protocol_title import RESCALING, Scored, title_of
from pagen.eval.protocols import PROTOCOLS


def named_by(protocol: Protocol) -> set[str]:
    """The indicators that a protocol treats in a way of their own."""
    weighed = {name for weights in protocol.weights.values() for name in weights}
    return {*protocol.each_of, *protocol.factors, *weighed}


def has(title: str, indicator: str) -> bool:
    """Whether it is said of an indicator how it is rescaled or weighed."""
    return bool(re.search(rf"\b{indicator}\b", title.partition("Rescaling: ")[2]))


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_nothing_is_said_of_what_is_not_in_the_table(name: str) -> None:
    """A density, its trivial baselines, and what is added up of other indicators."""
    protocol = PROTOCOLS[name]
    title = title_of(protocol, Scored("ped2", indicators=frozenset({"flow_speed", "mulde", "skip", "fused"})))
    assert [one for one in named_by(protocol) if has(title, one)] == []
    assert "Weights: " not in title


@pytest.mark.parametrize("name", [name for name in PROTOCOLS.names() if named_by(PROTOCOLS[name])])
def test_what_is_in_the_table_is_told(name: str) -> None:
    protocol = PROTOCOLS[name]
    title = title_of(protocol, Scored("ped2", indicators=frozenset({*named_by(protocol), "fused"})))
    assert [one for one in named_by(protocol) if not has(title, one)] == []


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_where_nothing_is_added_up_nothing_is_said_of_weights(name: str) -> None:
    title = title_of(PROTOCOLS[name], Scored("ped2", indicators=frozenset({"vcr", "ffp", "prp", "psnr"})))
    assert "Weights: " not in title
    assert "fused: " not in title


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_kinds_of_rescaling_are_said_in_words(name: str) -> None:
    """Not by the names that only files of protocols know."""
    rescaling = title_of(PROTOCOLS[name], Scored("ped2")).partition("Rescaling: ")[2]
    assert [kind for kind in RESCALING if "_" in kind and kind in rescaling] == []


def test_lines_of_the_papers_that_treat_indicators_apart() -> None:
    titles = {name: title_of(PROTOCOLS[name], Scored("ped2")) for name in PROTOCOLS.names()}
    for name, words in {
        "luss": "Rescaling: none, vcr times 0.241, ffp times 0.241; the sum, and what stands alone: less the median",
        "luss_released": "to P99; prp: min-max of each video. Weights: vcr 0.2 ffp 0.2 prp 0.9, for every",
        "unified_pa": "Rescaling: min-max of each video; semantic: none. Smoothing",
        "accivad": "over their range; pose and velocity: less the minimum of the training objects, over their range up",
    }.items():
        assert words in titles[name]
