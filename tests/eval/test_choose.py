"""Choices on one data set for figures on another: the best of the grid, by a plain search with scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.eval.choose import SHARES, SIGMAS, choices_of
from pagen.eval.metrics import micro_auroc
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.results import BAR, TRIVIAL, Choice, ChosenOn, Series, Table
from pagen.eval.scores import Scores
from pagen.eval.series import Choices, series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.scoring.smooth import causal_smooth

ALIKE = {"median": 0.0, "p1": -1.0, "p99": 1.0}
"""A calibration that halves every score."""
FUSING = replace(PROTOCOLS["causal"], fused={"made": ("psnr", "prp")})


def made(seed: int, clear: float, noisy: float, length: int = 60, stretch: int = 10) -> Scores:
    """Two indicators of a run: how far each lifts abnormal frames, which come in runs, over noise."""
    rng = np.random.default_rng(seed)
    labels = {name: (np.arange(length) // stretch % 3 == 1).astype(np.uint8) for name in ("a", "b")}
    clips = {
        name: {"psnr": rng.normal(clear * marks), "prp": rng.normal(noisy * marks)} for name, marks in labels.items()
    }
    config = {"dataset": "street", "recipe": {"recipe": "made"}, "calibration": {"psnr": ALIKE, "prp": ALIKE}}
    return Scores(Path("run"), config, clips, labels)


def together(part: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([*part.values()])


def searched(scores: Scores) -> dict[tuple[float, float], float]:
    """Share of psnr and width -> AUROC, by plain loops."""
    found = {}
    for part, sigma in product(range(SHARES + 1), SIGMAS):
        share = part / SHARES
        sums = {
            name: causal_smooth(share * of["psnr"] / 2 + (1 - share) * of["prp"] / 2, sigma)
            for name, of in scores.clips.items()
        }
        found[share, sigma] = float(roc_auc_score(together(scores.labels), together(sums)))
    return found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1.5), st.floats(0, 1.5))
def test_what_is_chosen_is_the_best_of_the_grid(seed: int, clear: float, noisy: float) -> None:
    scores = made(seed, clear, noisy, length=40)
    choice = choices_of(FUSING, [("run", scores)], "ped2")["run", "fused"]
    grid = searched(scores)  # the protocol's own, alike and of width 2, is a point of it
    assert choice.weights is not None
    assert choice.sigma is not None
    share = choice.weights["psnr"] / sum(choice.weights.values())
    assert choice.micro == pytest.approx(max(grid.values()), abs=1e-9)
    assert choice.micro == pytest.approx(grid[share, choice.sigma], abs=1e-9)


def test_an_indicator_that_knows_nothing_gets_no_weight_and_noise_is_smoothed_away() -> None:
    choices = choices_of(FUSING, [("run", made(0, clear=1.0, noisy=0.0, length=600))], "ped2")
    fused, alone = choices["run", "fused"], choices["run", "psnr"]
    assert fused.weights == {"psnr": 1.0, "prp": 0.0}
    assert (alone.weights, alone.sigma) == (None, fused.sigma)
    sigmas = []
    for stretch in (3, 10, 100):
        scores = made(0, clear=1.0, noisy=0.0, length=1200, stretch=stretch)
        sigmas.append(choices_of(FUSING, [("run", scores)], "ped2")["run", "psnr"].sigma)
    assert sigmas == sorted(sigmas)  # the longer events are, the more frames tell of them
    assert sigmas[0] <= 1.0 < 5.0 < sigmas[2]
    other = choices_of(FUSING, [("run", made(0, clear=0.0, noisy=1.0, length=600))], "ped2")["run", "fused"]
    assert other.weights == {"psnr": 0.0, "prp": 1.0}
    both = choices_of(FUSING, [("run", made(1, clear=1.0, noisy=1.0, length=6000))], "ped2")["run", "fused"]
    assert both.weights == {"psnr": 1.0, "prp": 1.0}  # alike, as the protocol has it, which comes first


def test_where_nothing_is_better_the_protocol_of_the_target_stays() -> None:
    scores = made(0, 1.0, 1.0)
    perfect = {name: dict.fromkeys(("psnr", "prp"), marks * 9.0) for name, marks in scores.labels.items()}
    protocol = replace(FUSING, weights={"ped2": {"psnr": 0.7, "prp": 0.3}}, sigma={"*": 2.0, "ped2": 0.125})
    choice = choices_of(protocol, [("run", replace(scores, clips=perfect))], "ped2")["run", "fused"]
    assert (choice.weights, choice.sigma, choice.micro) == ({"psnr": 0.7, "prp": 0.3}, 0.125, 1.0)


def test_a_protocol_that_neither_fuses_nor_smooths_leaves_nothing_to_choose() -> None:
    choices = choices_of(PROTOCOLS["raw"], [("run", made(0, 1, 1))], "x")
    assert {(key, choice.weights, choice.sigma) for key, choice in choices.items()} == {
        (("run", "psnr"), None, None),
        (("run", "prp"), None, None),
    }


def test_choices_are_the_same_every_time() -> None:
    scored = [("run", made(4, 0.5, 0.4))]
    assert choices_of(FUSING, scored, "ped2") == choices_of(FUSING, scored, "ped2")


def test_one_class_is_nothing_to_choose_by() -> None:
    scores = made(0, 1, 1)
    normal = {name: 0 * marks for name, marks in scores.labels.items()}
    with pytest.raises(PagenError, match="among those that causal scores on street, to choose by, found one class"):
        choices_of(FUSING, [("run", replace(scores, labels=normal))], "ped2")


def as_trivial(scores: Scores) -> Scores:
    clips = {name: {BAR: of["psnr"]} for name, of in scores.clips.items()}
    return replace(scores, clips=clips, config={"dataset": scores.config["dataset"]})


TARGET = made(10, 0.6, 0.3)


def measured(protocol: Protocol, labels: dict[str, np.ndarray]) -> tuple[Table, Choices, tuple[Series, ...]]:
    """The table of the target with these labels by what is chosen elsewhere, and the choices."""
    judges = [(TRIVIAL, as_trivial(made(3, 0.2, 0.1))), ("run", made(5, 0.9, 0.2, length=300))]
    choices = choices_of(protocol, judges, "ped2")
    how = EvaluationSettings("ped2", 10.0, chosen_on=ChosenOn("street", "made", 2), labels="theirs")
    runs = [(TRIVIAL, as_trivial(made(9, 0.2, 0.1))), ("run", TARGET)]
    runs = [(run, replace(scores, labels=labels)) for run, scores in runs]
    series = series_of(protocol, runs, how, choices)
    return table_of(protocol, series, how), choices, series


def test_figures_are_those_of_what_was_chosen_and_the_title_says_what_on_which_set() -> None:
    found, choices, _ = measured(FUSING, TARGET.labels)
    rows, fused = {(row.run, row.indicator): row for row in found.rows}, choices["run", "fused"]
    assert fused.weights is not None
    assert fused.sigma is not None
    shares = {key: weight / sum(fused.weights.values()) for key, weight in fused.weights.items()}
    sums = {
        name: causal_smooth(np.sum([shares[key] * of[key] / 2 for key in of], axis=0), fused.sigma)
        for name, of in TARGET.clips.items()
    }
    assert rows["run", "fused"].micro == pytest.approx(micro_auroc(sums, TARGET.labels), abs=1e-12)
    for key, row in rows.items():
        assert row.choice == choices[key]
    assert "Smoothing: causal, sigma as chosen" in found.title
    said = f"flow_speed: sigma {choices[TRIVIAL, BAR].sigma:g} frames; run: {fused}"
    assert f"Chosen on street (2 test clips, labels: made) by micro AUROC: {said}." in found.title
    assert found.title.endswith("Labels: theirs.")
    assert found.label_edition == "theirs"
    raw, *_ = measured(PROTOCOLS["raw"], TARGET.labels)
    assert "by micro AUROC: nothing, since nothing is fused or smoothed." in raw.title


def test_labels_of_the_target_play_no_part() -> None:
    turned = {name: 1 - marks for name, marks in TARGET.labels.items()}
    (_, choices, series), (_, same, other) = measured(FUSING, TARGET.labels), measured(FUSING, turned)
    assert choices == same
    for one, two in zip(series, other, strict=True):
        for name in one.final:
            np.testing.assert_array_equal(one.final[name], two.final[name])


def test_a_choice_says_what_it_is() -> None:
    assert str(Choice({"psnr": 0.25, "prp": 0.75}, 5.0)) == "psnr 0.25 prp 0.75, sigma 5 frames"
    assert str(Choice(None, 0.5)) == "sigma 0.5 frames"
    assert str(Choice({"psnr": 1.0}, None)) == "psnr 1"
    assert str(Choice(None, None)) == ""


def test_weights_have_one_source() -> None:
    with pytest.raises(PagenError, match="expected --weights published with --choose-on"):
        EvaluationSettings("ped2", weights="uniform", choose_on="street")
