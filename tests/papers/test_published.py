"""Published figures, against those of the papers' tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pagen.eval.protocols import PROTOCOLS
from pagen.eval.published import published_row
from pagen.footage.catalogue import DATASETS
from pagen.papers import all_papers, gcl
from pagen.papers.all_papers import ABLATIONS, PAPERS, PUBLISHED
from pagen.train.recipes.gcl import GclRecipe
from pagen.train.recipes.table import RECIPES

FIGURES = [
    ("baseline", "ped2", 92.49, None),
    ("patch", "avenue", 84.91, None),
    ("skip", "shanghaitech", 75.97, None),
    ("steal", "ped2", 98.4, None),
    ("memae", "avenue", 83.30, None),
    ("luss", "ped2", 98.52, None),
    ("unified", "ped2", 93.53, None),
    ("unified_without_d", "shanghaitech", 71.76, None),
    ("mulde", "ped2", 99.7, 99.9),
    ("mulde", "shanghaitech", 86.7, 91.5),
    ("mulde_frames", "ubnormal", 72.8, 85.5),
    ("msma", "avenue", 90.2, 92.5),
    ("accivad", "ped2", 99.1, 99.9),
    ("accivad", "shanghaitech", 85.9, 89.6),
    ("gcl", "ucf_crime", 71.04, None),
    ("gcl_ws", "shanghaitech:weak", 86.21, None),
    ("gcl_ae_alldata", "ucf_crime", 56.32, None),
    ("gcl_ae_alldata", "shanghaitech:weak", 62.73, None),
    ("gcl_ae_occ", "ucf_crime", 65.76, None),
    ("gcl_ae_td", "ucf_crime", 63.84, None),
    ("gcl_without_nl", "ucf_crime", 64.23, None),
    ("gcl_own", "ucf_crime", 62.28, None),
    ("gcl_soft", "ucf_crime", 63.58, None),
]


@pytest.mark.parametrize(("recipe", "dataset", "micro", "macro"), FIGURES)
def test_figures_are_those_of_the_tables(recipe: str, dataset: str, micro: float, macro: float | None) -> None:
    found = PUBLISHED[recipe][dataset]
    assert (found.micro, found.macro) == (micro, macro)


def test_no_two_papers_publish_one_name() -> None:
    """The tables of all papers are joined: a name that stood in two would hide the first."""
    for table, joined in (("PUBLISHED", PUBLISHED), ("PROTOCOLS", all_papers.PROTOCOLS), ("ABLATIONS", ABLATIONS)):
        assert sum(len(getattr(paper, table, ())) for paper in PAPERS) == len(joined) > 0


def test_every_file_of_papers_is_joined() -> None:
    assert {"accivad", "gcl", "lntra", "luss", "mulde", "unified"} <= {paper.__name__[13:] for paper in PAPERS}
    assert all({"PUBLISHED", "PROTOCOLS", "ABLATIONS"} & vars(paper).keys() for paper in PAPERS)


def test_every_trained_recipe_of_a_paper_has_figures() -> None:
    assert set(RECIPES.names()) - PUBLISHED.keys() <= {"temporal", "discriminator", "knn", "gmm"}  # parts of others


def test_figures_are_percentages_with_a_source_and_a_known_protocol() -> None:
    every = [one for row in PUBLISHED.values() for one in row.values()]
    assert all(50 < one.micro < 100 and one.source for one in every)
    assert all(one.protocol is None or one.protocol in PROTOCOLS for one in every)


def test_macro_figures_lie_above_micro_ones() -> None:
    """True of every pair but of two with deep features: stretching between videos costs the micro figure alone."""
    pairs = [one for row in PUBLISHED.values() for one in row.values() if one.macro is not None]
    below = [one for one in pairs if one.macro is not None and one.macro < one.micro]
    assert [(one.micro, one.macro) for one in below] == [(89.0, 88.0), (91.5, 91.0)]
    pairs = [one for one in pairs if one not in below]
    assert len(pairs) >= 15
    assert all(one.macro > one.micro for one in pairs if one.macro is not None)


ROWS = [
    ({"recipe": "gcl", "variant": "B", "features": "lite0"}, "ucf_crime", "", "gcl_b"),
    ({"recipe": "gcl", "variant": "OCC", "features": "lite0"}, "ucf_crime", "", "gcl_occ"),
    ({"recipe": "gcl", "variant": "WS", "features": "lite0"}, "shanghaitech:weak", "", "gcl_ws"),
    ({"recipe": "gcl", "variant": "PT", "features": "lite0"}, "shanghaitech:weak", "", "gcl"),
    ({"recipe": "mulde", "members": ["velocity", "deep"]}, "ped2", "mulde", "mulde"),
    ({"recipe": "mulde", "members": ["velocity", "deep"]}, "avenue", "mulde", "mulde_deep_velocity"),
    ({"recipe": "mulde", "features": "pose"}, "shanghaitech", "mulde", "mulde_pose"),
    ({"recipe": "mulde", "features": "hiera:hiera/"}, "shanghaitech", "mulde", "mulde_frames"),
    ({"recipe": "mulde", "features": "latents:runs/luss"}, "ped2", "mulde", None),
    ({"recipe": "mulde", "features": "locations:runs/luss"}, "shanghaitech", "mulde", None),
    ({"recipe": "knn", "features": "lite0"}, "ubnormal", "mulde", "knn_frames"),
    ({"recipe": "gmm", "features": "velocity"}, "shanghaitech", "mulde", None),
    ({"recipe": "unified", "members": ["spatial", "temporal", "discriminator"]}, "ped2", "unified_pa", "unified"),
    ({"recipe": "unified", "members": ["spatial"]}, "ped2", "unified_pa_without_d", "unified_without_d"),
    ({"recipe": "unified", "members": ["spatial"]}, "ubnormal", "unified_pa", None),
    ({"recipe": "unified", "members": ["spatial"]}, "ubnormal:validation", "unified_pa", "unified"),
    ({"recipe": "skip"}, "ubnormal:validation", "lntra", "skip_by_rai"),
    ({"recipe": "skip"}, "ped2", "lntra", "skip"),
]


@pytest.mark.parametrize(("recipe", "dataset", "protocol", "row"), ROWS)
def test_a_run_answers_which_row_it_is_of(recipe: dict[str, Any], dataset: str, protocol: str, row: str | None) -> None:
    assert published_row(recipe, dataset, protocol) == row


def test_every_row_can_be_found_by_a_run() -> None:
    """A row that no `recipe.json` leads to would never be shown."""
    assert set(all_papers.ROWS) <= set(PUBLISHED)
    assert set(PUBLISHED) - set(all_papers.ROWS) <= set(RECIPES.names())
    assert {wanted["recipe"] for wanted in all_papers.ROWS.values()} <= set(RECIPES.names())


def test_of_ubnormal_the_two_splits_are_two_data_sets() -> None:
    micro = {row: of["ubnormal:validation"].micro for row, of in PUBLISHED.items() if "ubnormal:validation" in of}
    rai = {"baseline_by_rai": 54.06, "patch_by_rai": 57.09, "skip_by_rai": 55.48}
    assert micro == {**rai, "unified_without_d": 57.53, "unified": 57.98}
    assert all("unified" not in row for row, of in PUBLISHED.items() if "ubnormal" in of)


def test_every_row_of_gcl_is_of_a_run_that_can_be_trained() -> None:
    assert gcl.ROWS.keys() == gcl.PUBLISHED.keys()
    settings = [{name: value for name, value in row.items() if name != "recipe"} for row in gcl.ROWS.values()]
    assert all(replace(GclRecipe(), **changes) for changes in settings)
    assert len({tuple(changes.items()) for changes in settings}) == len(settings)


def test_gcl_shares_no_column_with_others() -> None:
    """Its ShanghaiTech is split otherwise."""
    assert all("shanghaitech" not in row for recipe, row in PUBLISHED.items() if recipe.startswith("gcl"))


def test_every_figure_is_of_a_data_set_that_has_a_row() -> None:
    for dataset in {dataset for figures in PUBLISHED.values() for dataset in figures}:
        assert DATASETS[dataset].name == dataset
