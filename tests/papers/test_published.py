"""Published figures, against those of the papers' tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pagen.eval.protocols import PROTOCOLS
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
    ("mulde", "ped2", 99.7, 99.9),
    ("mulde", "shanghaitech", 86.7, 91.5),
    ("mulde_frames", "ubnormal", 72.8, 85.5),
    ("msma", "avenue", 90.2, 92.5),
    ("accivad", "ped2", 99.1, 99.9),
    ("accivad", "shanghaitech", 85.9, 89.6),
    ("gcl", "ucf_crime", 71.04, None),
    ("gcl_ws", "shanghaitech:zhong", 86.21, None),
    ("gcl_ae_alldata", "ucf_crime", 56.32, None),
    ("gcl_ae_alldata", "shanghaitech:zhong", 62.73, None),
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
    """True of every published pair: stretching of scores between videos costs the micro figure alone."""
    pairs = [one for row in PUBLISHED.values() for one in row.values() if one.macro is not None]
    assert len(pairs) >= 15
    assert all(one.macro > one.micro for one in pairs if one.macro is not None)


def test_every_row_of_gcl_is_of_a_run_that_can_be_trained() -> None:
    assert gcl.ROWS.keys() == gcl.PUBLISHED.keys()
    settings = [{name: value for name, value in row.items() if name != "recipe"} for row in gcl.ROWS.values()]
    assert all(replace(GclRecipe(), **changes) for changes in settings)
    assert len({tuple(changes.items()) for changes in settings}) == len(settings)


def test_gcl_shares_no_column_with_others() -> None:
    """Its ShanghaiTech is split otherwise."""
    assert all("shanghaitech" not in row for recipe, row in PUBLISHED.items() if recipe.startswith("gcl"))
