from __future__ import annotations

from pathlib import Path

import pytest

from pagen.errors import PagenError, require_counts, unknown_name
from pagen.registry import Registry


@pytest.fixture
def sets() -> Registry[int]:
    return Registry("data set", "pagen.tests", {"ped1": 1, "ped2": 2, "street": 3})


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    answer = str(unknown_name("data set", "pde2", ["street", "ped2"]))
    assert answer == "no data set named 'pde2'; did you mean 'ped2'? known: ped2 street"
    assert str(unknown_name("mask", "xyz", ["motion"])) == "no mask named 'xyz'; known: motion"


@pytest.mark.parametrize(
    ("values", "least", "said"),
    [
        ({"a": 1, "b": (3, 0), "c": -1}, 1, "expected b of 1 and more, found 0"),
        ({"widths": ()}, 1, "expected widths of 1 and more, found none"),
        ({"--steps": -1}, 0, "expected --steps of 0 and more, found -1"),
        ({"a": 1, "b": (2, 1)}, 1, ""),
    ],
)
def test_the_number_that_is_too_low_is_named_alone(values: dict[str, int], least: int, said: str) -> None:
    if not said:
        require_counts(values, least)
        return
    with pytest.raises(PagenError) as caught:
        require_counts(values, least)
    assert str(caught.value) == said


def test_names_are_sorted_and_lead_to_values(sets: Registry[int]) -> None:
    assert sets.names() == ["ped1", "ped2", "street"]
    assert sets["ped2"] == 2
    assert "street" in sets
    assert "stret" not in sets
    with pytest.raises(PagenError, match="no data set named 'stret'; did you mean 'street'\\? known: ped1 ped2 street"):
        sets["stret"]


def test_anybody_may_register(sets: Registry[int]) -> None:
    assert sets.register("avenue", 4) == 4
    assert sets.names() == ["avenue", "ped1", "ped2", "street"]
    sets.register("ped2", 20)
    assert sets["ped2"] == 20


def test_a_registry_keeps_a_table_of_its_own() -> None:
    table = {"a": 1}
    Registry("letter", "pagen.tests", table).register("b", 2)
    assert table == {"a": 1}


def test_entry_points_are_listed_unloaded_and_loaded_when_asked_for(
    sets: Registry[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[pagen.tests]\ntheirs = third_party_sets:VALUE\nbroken = third_party_gone:X\n"
    )
    (tmp_path / "third_party_sets.py").write_text("VALUE = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert sets.names() == ["broken", "ped1", "ped2", "street", "theirs"]  # the broken one is not loaded by that
    assert "theirs" in sets
    assert sets["theirs"] == 42
