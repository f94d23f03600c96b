from __future__ import annotations

import re

import pytest

from pagen.errors import PagenError
from pagen.folders import folder_name
from pagen.footage.catalogue import DATASETS
from pagen.footage.layout import LABEL_KINDS, MASK_KINDS
from pagen.registry import resolve


def test_the_published_counts() -> None:
    ped1, ped2 = DATASETS["ped1"], DATASETS["ped2"]
    assert (len(ped1.train), sum(ped1.train), len(ped1.test), sum(ped1.test)) == (34, 6800, 36, 7200)
    assert (len(ped2.train), sum(ped2.train), len(ped2.test), sum(ped2.test)) == (16, 2550, 12, 2010)
    assert (ped1.abnormal, ped2.abnormal) == (4045, 1648)


@pytest.mark.parametrize("name", DATASETS.names())
def test_every_row_is_whole(name: str) -> None:
    row = DATASETS[name]
    assert row.name == name
    assert row.what
    assert row.licence
    assert row.obtain
    assert row.fps > 0
    assert bool(row.layouts) != bool(row.scenes)
    assert len({layout.name for layout in row.layouts}) == len(row.layouts)
    for layout in row.layouts:
        assert all(re.compile(part.clip) for part in layout.parts)
        assert all(source.kind in LABEL_KINDS for source in (*layout.labels, *layout.train_labels))
        assert all(source.kind in MASK_KINDS and "{" in source.path for source in layout.masks)
    assert all(re.fullmatch("[a-z0-9]+", alias) for alias in row.aliases)


def test_official_clips_are_those_without_gt() -> None:
    official = next(layout for layout in DATASETS["ped2"].layouts if layout.name == "official")
    assert all(re.fullmatch(part.clip, "Test007") for part in official.parts)
    assert not any(re.fullmatch(part.clip, "Test007_gt") for part in official.parts)


def test_an_unknown_name_meets_the_nearest() -> None:
    with pytest.raises(PagenError, match="did you mean 'ped2'"):
        DATASETS["pde2"]


def test_no_data_set_gives_a_folder_a_name_that_windows_refuses() -> None:
    folders = [folder_name(name) for name in DATASETS.names()]
    assert not set("".join(folders)) & set('<>:"/\\|?*')
    assert len(set(folders)) == len(folders)
    assert folder_name("street:square") == "street-square"
    assert folder_name("ped2") == "ped2"


def test_every_kind_of_labels_has_its_reader() -> None:
    references = [reference for kind in LABEL_KINDS.values() for reference in (kind.read, kind.names, kind.holds)]
    assert all(callable(resolve(reference)) for reference in (*references, *MASK_KINDS.values()) if reference)
