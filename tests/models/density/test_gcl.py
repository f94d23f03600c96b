from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.models.density import gcl_labels
from pagen.models.density.detector import rows_of
from pagen.models.density.detectors import DETECTORS
from pagen.models.density.gcl import GCL, perceptron
from pagen.models.density.gcl_labels import (
    distances,
    pseudo_labels,
    pseudo_targets,
    soft_labels,
    temporal_differences,
)
from pagen.models.density.gcl_training import Seen
from pagen.models.density.open import open_detector
from pagen.models.density.standard import Standard
from pagen.seeds import entropy, torch_generator

Vectors = npt.NDArray[np.float32]
SMALL: dict[str, Any] = {"widths": (24, 6, 24), "discriminator_widths": (24, 8), "batch": 128, "lr": 1e-3}
TINY: dict[str, Any] = {**SMALL, "epochs": 2, "pretraining": 2, "batch": 32}


def videos(count: int = 10, length: int = 60, seed: int = 0) -> tuple[list[Vectors], list[npt.NDArray[np.int64]]]:
    """Features near a sheet of 3 dimensions in 16, and outliers off it, a tenth of all, of about the same length.

    The first half of the videos is normal; in the others the outliers are five runs of consecutive frames.
    """
    sheet = np.random.default_rng(99).standard_normal((3, 16))
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((count, length, 3)) @ sheet + 0.1 * rng.standard_normal((count, length, 16))
    outliers = np.sqrt(3) * rng.standard_normal((count, length, 16))
    labels = np.zeros((count, length), np.int64)
    labels[count // 2 :, 20 : 20 + length // 5] = 1
    return list(np.where(labels[..., None], outliers, normal).astype(np.float32)), list(labels)


def test_the_paper_s_networks() -> None:
    generator = perceptron((2048, 1024, 512, 256, 512, 1024, 2048))
    discriminator = perceptron((2048, 512, 32, 1))
    assert [sum(each.numel() for each in made.parameters()) for made in (generator, discriminator)] == [
        5_510_400,
        1_065_537,
    ]
    paper = GCL()
    assert (paper.widths, paper.discriminator_widths) == ((1024, 512, 256, 512, 1024), (512, 32))
    assert (paper.lr, paper.momentum, paper.epochs, paper.batch) == (2e-5, 0.6, 15, 8192)
    assert (paper.factor, paper.discriminator_factor, paper.targets, paper.noise) == (1.0, 0.1, "ones", 1.5)


def test_a_perceptron_has_relu_between_its_layers_and_nothing_after_the_last() -> None:
    torch.manual_seed(0)
    made, x = perceptron((4, 5, 3)), np.random.default_rng(0).standard_normal((7, 4)).astype(np.float32)
    first, first_bias, last, last_bias = (each.detach().numpy() for each in made.parameters())
    expected = np.maximum(x @ first.T + first_bias, 0) @ last.T + last_bias
    assert expected.min() < 0
    np.testing.assert_allclose(made(torch.from_numpy(x)).detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("factor", [0.0, 0.1, 1.0])
def test_labels_are_what_lies_above_the_mean_and_so_many_deviations(factor: float) -> None:
    values = np.random.default_rng(0).gamma(2, size=500)
    found = pseudo_labels(torch.from_numpy(values), factor).numpy()
    np.testing.assert_array_equal(found, values >= values.mean() + factor * values.std())
    assert 0 < found.sum() < 500


def test_a_value_on_the_threshold_counts() -> None:
    assert pseudo_labels(torch.tensor([0.0, 2.0]), 1.0).tolist() == [False, True]  # mean 1, deviation 1


def test_gaussian_values_give_the_shares_of_the_normal_distribution() -> None:
    values = torch.randn(200_000, generator=torch.Generator().manual_seed(0)) + 10
    shares = [pseudo_labels(values, factor).double().mean().item() for factor in (1.0, 0.1)]
    np.testing.assert_allclose(shares, (0.1587, 0.4602), atol=0.004)


@pytest.mark.parametrize("values", [[5.0] * 9, [0.0] * 9, [0.1] * 9, [1e-20] * 9, [3.0]])
def test_values_that_do_not_vary_give_no_label(values: list[float]) -> None:
    assert not pseudo_labels(torch.tensor(values), 0.1).any()


def test_one_value_that_lies_above_the_others_is_the_only_one() -> None:
    values = torch.ones(8192)
    values[17] = 1.001
    assert pseudo_labels(values, 0.0).nonzero().tolist() == [[17]]


X = np.random.default_rng(3).standard_normal((12, 5)).astype(np.float32)
LABELS = np.arange(12) % 3 == 0


def paired(kind: Any, noise: float = 1.5, x: Vectors = X) -> tuple[Vectors, Vectors]:
    rng = torch_generator(0, "targets")
    inputs, targets = pseudo_targets(torch.from_numpy(x), torch.from_numpy(LABELS), kind, rng, noise)
    return inputs.numpy(), targets.numpy()


def test_targets_of_ones() -> None:
    inputs, targets = paired("ones")
    np.testing.assert_array_equal(inputs, X)
    np.testing.assert_array_equal(targets, np.where(LABELS[:, None], 1, X))


def test_targets_that_are_normal_features_of_the_batch() -> None:
    inputs, targets = paired("replace")
    np.testing.assert_array_equal(inputs, X)
    np.testing.assert_array_equal(targets[~LABELS], X[~LABELS])
    assert {tuple(row) for row in targets[LABELS]} <= {tuple(row) for row in X[~LABELS]}
    assert len({tuple(row) for row in targets[LABELS]}) > 1


def test_targets_with_noise() -> None:
    wide = np.random.default_rng(0).standard_normal((12, 5000)).astype(np.float32)
    for noise in (1.5, 6.0):
        inputs, targets = paired("gaussian", noise, wide)
        np.testing.assert_array_equal(inputs, wide)
        np.testing.assert_array_equal(targets[~LABELS], wide[~LABELS])
        added = (targets - wide)[LABELS]
        np.testing.assert_allclose((added.mean(), added.std()), (0, noise), atol=0.04 * noise)


def test_without_negative_learning_only_normal_features_enter() -> None:
    inputs, targets = paired("none")
    np.testing.assert_array_equal(inputs, X[~LABELS])
    np.testing.assert_array_equal(targets, X[~LABELS])


def test_distances_are_norms_not_squared_and_have_a_gradient_at_zero() -> None:
    x = torch.tensor([[3.0, 4.0], [1.0, 1.0]], requires_grad=True)
    found = distances(x, torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    assert found.tolist() == [5.0, 0.0]
    found.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad, [[0.6, 0.8], [0, 0]], atol=1e-7)


SPREADS = ("factor", "discriminator_factor", "noise")


def test_temporal_differences_stay_within_a_video(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcl_labels, "PIECE", 4)
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((length, 3)) for length in (1, 4, 5, 9, 13)]
    rows = rows_of(parts)
    standard = Standard.of(rows)
    scaled = [(part - standard.mean) / standard.std for part in parts]
    expected = [
        0.0 if index == 0 else float(np.sqrt(((part[index] - part[index - 1]) ** 2).sum()))
        for part in scaled
        for index in range(len(part))
    ]
    np.testing.assert_allclose(temporal_differences(rows, standard), expected, rtol=1e-12)


def test_a_step_is_the_paper_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch of everything: labels of the generator, a step of the discriminator, its labels, a generator's step."""
    x, _ = videos(2, 20)
    whole = np.concatenate(x)
    made = GCL(**{**SMALL, "epochs": 1, "batch": 40}).fit(x)
    start = GCL(**SMALL)
    with torch.random.fork_rng():
        torch.manual_seed(entropy(0, "weights") % 2**63)
        start._build(16)
    scaled = torch.from_numpy((whole - whole.mean(0, dtype=np.float64)) / whole.std(0, ddof=1, dtype=np.float64))
    inputs = scaled.float()
    optimisers = [
        torch.optim.RMSprop(each.parameters(), 1e-3, momentum=0.6) for each in (start.generator, start.discriminator)
    ]
    errors = np.linalg.norm((inputs - start.generator(inputs)).detach().numpy(), axis=1)
    first = errors >= errors.mean() + errors.std()
    odds = start.discriminator(inputs)[:, 0]
    chance = torch.sigmoid(odds)
    wanted = torch.from_numpy(first).float()
    entropy_loss = -(wanted * torch.log(chance) + (1 - wanted) * torch.log(1 - chance)).mean()
    entropy_loss.backward()
    optimisers[1].step()
    after = torch.sigmoid(start.discriminator(inputs)[:, 0]).detach().numpy()
    second = after >= after.mean() + 0.1 * after.std()
    targets = torch.where(torch.from_numpy(second)[:, None], torch.ones(16), inputs)
    loss = (targets - start.generator(inputs)).square().sum(1).sqrt().mean()
    loss.backward()
    optimisers[0].step()
    (row,) = made.history
    assert (row["phase"], row["epoch"], row["rows"]) == ("both", 0, 40)
    assert (row["share_G"], row["share_D"]) == (first.mean(), second.mean())
    np.testing.assert_allclose((row["loss_D"], row["loss_G"]), (entropy_loss.item(), loss.item()), rtol=1e-5)
    with torch.no_grad():
        np.testing.assert_allclose(made.anomaly_score(whole), start.discriminator(inputs)[:, 0], rtol=1e-3, atol=1e-4)
        rebuilt = np.linalg.norm(inputs - start.generator(inputs), axis=1)
    np.testing.assert_allclose(made.errors(whole), rebuilt, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "targets"), [("B", "gaussian"), ("B", "none"), ("PT", "ones"), ("OCC", "ones"), ("WS", "ones")]
)
def test_unlabelled_outliers_are_found(variant: Any, targets: Any) -> None:
    x, labels = videos()
    normal = np.arange(10) < 3
    made = GCL(**SMALL, variant=variant, targets=targets, epochs=30, pretraining=15).fit(x, normal, labels)
    new, truth = videos(seed=1)
    assert roc_auc_score(np.concatenate(truth), made.anomaly_score(new)) > 0.95
    assert roc_auc_score(np.concatenate(truth), made.errors(new)) > 0.95
    last = made.history[-1]
    assert last["precision_G"] > 0.7 > 0.1 == np.mean(labels)
    assert last["precision_D"] > 0.7


def test_the_history_tells_the_phases() -> None:
    x, labels = videos(4, 50)
    made = GCL(**TINY, variant="PT", calm=0.6).fit(x, labels=labels)
    phases = [(row["phase"], row["epoch"]) for row in made.history]
    assert phases == [(phase, epoch) for phase in ("generator", "discriminator", "both") for epoch in (0, 1)]
    assert [row["rows"] for row in made.history] == [120, 120, 200, 200, 200, 200]
    names = {phase: {name for row in made.history if row["phase"] == phase for name in row} for phase, _ in phases}
    common = {"phase", "epoch", "rows"}
    of_discriminator = {"loss_D", "share_G", "precision_G", "auroc_G", "auroc_D"}
    assert names["generator"] == common | {"loss_G"}
    assert names["discriminator"] == common | of_discriminator
    assert names["both"] == common | of_discriminator | {"loss_G", "share_D", "precision_D"}
    assert not any("precision" in name for row in GCL(**TINY).fit(x).history for name in row)


def test_the_paper_s_threshold_is_a_distance_of_features_as_they_are() -> None:
    x, _ = videos(4, 50)
    steps = np.concatenate([np.append(0, np.linalg.norm(np.diff(each, axis=0), axis=1)) for each in x])
    made = GCL(**TINY, variant="PT", difference=5.0, standardise=False).fit(x)
    assert made.history[0]["rows"] == (steps <= 5).sum()
    assert 4 < (steps <= 5).sum() < 200


def test_normal_videos_pre_train_the_generator_and_get_no_label_from_either_network() -> None:
    x, _ = videos(4, 50)
    x.insert(1, np.zeros((0, 16), np.float32))
    normal = [True, True, False, True, False]
    known = np.repeat([True, False, True, False], 50)
    wrong: dict[str, Any] = {}
    for variant in ("OCC", "WS"):
        made = GCL(**TINY, variant=variant).fit(x, normal, labels=known)  # type: ignore[arg-type]
        wrong[variant] = [row["precision_G"] for row in made.history if row["phase"] == "both"]
        assert made.history[0]["rows"] == 100
    assert min(wrong["OCC"]) > 0
    assert max(wrong["WS"]) == 0


def test_labels_train_nothing() -> None:
    x, labels = videos(4, 50)
    without, told = GCL(**TINY).fit(x), GCL(**TINY).fit(x, labels=labels)
    np.testing.assert_array_equal(without.anomaly_score(x), told.anomaly_score(x))


@pytest.mark.parametrize("targets", ["replace", "gaussian"])
def test_training_is_a_function_of_the_seed(targets: Any) -> None:
    x, _ = videos(4, 50)
    first, same, other = (GCL(**TINY, variant="PT", targets=targets, seed=seed).fit(x) for seed in (0, 0, 1))
    assert first.history == same.history
    np.testing.assert_array_equal(first.anomaly_score(x), same.anomaly_score(x))
    assert not np.allclose(first.anomaly_score(x), other.anomaly_score(x))


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    x, _ = videos(4, 50)
    before = GCL(**TINY, variant="PT", difference=6.0).fit(x)
    before.save(tmp_path)
    after = open_detector(tmp_path)
    assert isinstance(after, GCL)
    assert DETECTORS["gcl"] is GCL
    assert json.dumps(after.config()) == json.dumps(before.config())
    np.testing.assert_array_equal(after.score_samples(x), before.score_samples(x))
    np.testing.assert_array_equal(after.errors(x), before.errors(x))


def test_constant_features_are_refused_or_left_out() -> None:
    x, _ = videos(4, 50)
    constant = [np.insert(each, 3, 2.0, axis=1) for each in x]
    for standardise in (True, False):
        with pytest.raises(PagenError, match="found 1 of 17 constant, the first in column 3"):
            GCL(**TINY, standardise=standardise).fit(constant)
        dropped = GCL(**TINY, standardise=standardise, drop_constant=True).fit(constant)
        np.testing.assert_array_equal(
            dropped.score_samples(constant), GCL(**TINY, standardise=standardise).fit(x).score_samples(x)
        )


def test_settings_that_are_refused() -> None:
    with pytest.raises(PagenError, match="no variant named 'OOC'; did you mean 'OCC'"):
        GCL(variant="OOC")  # type: ignore[arg-type]
    with pytest.raises(PagenError, match="no targets named 'one'; did you mean 'ones'"):
        GCL(targets="one")  # type: ignore[arg-type]
    for wrong in ({"widths": ()}, {"discriminator_widths": (0,)}, {"epochs": 0}, {"pretraining": 0}, {"batch": 0}):
        with pytest.raises(PagenError, match="of 1 and more"):
            GCL(**wrong)  # type: ignore[arg-type]
    for number in ({"factor": -1.0}, {"discriminator_factor": -0.1}, {"noise": -1.0}, {"lr": 0.0}, {"calm": 0.0}):
        with pytest.raises(PagenError, match="expected factors and noise of 0 and more"):
            GCL(**number)  # type: ignore[arg-type]


def test_features_that_are_refused() -> None:
    x, labels = videos(4, 50)
    spoilt = [each.copy() for each in x]
    spoilt[1][3, 2] = np.nan
    for standardise in (True, False):
        with pytest.raises(PagenError, match="finite features, found NaN or infinity in 1 rows, first in 53"):
            GCL(**TINY, standardise=standardise).fit(spoilt)
    with pytest.raises(PagenError, match=r"expected features \(n, 16\), found \(5, 4\)"):
        GCL(**TINY).fit([*x, np.ones((5, 4))])
    with pytest.raises(PagenError, match="expected 2 features at least for GCL, found 1"):
        GCL(**TINY).fit(x[0][:1])
    with pytest.raises(PagenError, match="expected labels 0 and 1 for 200 features, found"):
        GCL(**TINY).fit(x, labels=labels[:3])
    with pytest.raises(PagenError, match="expected labels 0 and 1 for 200 features, found"):
        GCL(**TINY).fit(x, labels=np.full(200, 2))
    with pytest.raises(PagenError, match=r"expected finite losses, found others in epoch \d \(both\); lower lr"):
        GCL(**{**TINY, "lr": 1e30}).fit(x)
    fitted = GCL(**TINY).fit(x)
    with pytest.raises(PagenError, match=r"expected features \(n, 16\), found \(5, 4\)"):
        fitted.errors(np.ones((5, 4)))


def test_normal_videos_that_are_refused() -> None:
    x, _ = videos(4, 50)
    for variant in ("OCC", "WS"):
        made = GCL(**TINY, variant=variant)  # type: ignore[arg-type]
        with pytest.raises(PagenError, match=f"expected to be told which videos are normal for variant {variant}"):
            made.fit(x)
        with pytest.raises(PagenError, match=r"one mark for each in `normal`, found 4 videos, \(3,\)"):
            made.fit(x, [True, False, True])
        with pytest.raises(PagenError, match=r"one mark for each in `normal`, found list_iterator, \(4,\)"):
            made.fit(iter(x), [True] * 4)
        with pytest.raises(PagenError, match="expected a video that is known to be normal, found none"):
            made.fit(x, [False] * 4)


def of_batch(x: list[Vectors]) -> tuple[torch.Tensor, GCL]:
    """Features as the networks see them, and networks as they begin."""
    whole, start = np.concatenate(x), GCL(**SMALL)
    with torch.random.fork_rng():
        torch.manual_seed(entropy(0, "weights") % 2**63)
        start._build(16)
    scaled = (whole - whole.mean(0, dtype=np.float64)) / whole.std(0, ddof=1, dtype=np.float64)
    return torch.from_numpy(scaled).float(), start


def test_an_autoencoder_is_the_generator_alone_and_scores_by_its_error() -> None:
    x, labels = videos(2, 50)
    inputs, start = of_batch(x)
    made = GCL(**{**SMALL, "epochs": 1}, variant="AE_AllData").fit(x, labels=labels)
    errors = np.linalg.norm((inputs - start.generator(inputs)).detach().numpy(), axis=1)
    optimiser = torch.optim.RMSprop(start.generator.parameters(), 1e-3, momentum=0.6)
    (inputs - start.generator(inputs)).square().sum(1).sqrt().mean().backward()
    optimiser.step()
    (row,) = made.history
    assert (row["phase"], row["rows"]) == ("generator", 100)
    assert row["auroc_G"] == pytest.approx(roc_auc_score(np.concatenate(labels), errors))
    np.testing.assert_allclose(row["loss_G"], errors.mean(), rtol=1e-5)
    with torch.no_grad():
        np.testing.assert_allclose(
            made.anomaly_score(x), np.linalg.norm(inputs - start.generator(inputs), axis=1), rtol=1e-3
        )
    np.testing.assert_array_equal(made.anomaly_score(x), made.errors(x))
    np.testing.assert_allclose(np.linalg.norm(inputs.numpy() - made.rebuilt(x), axis=1), made.errors(x), rtol=1e-3)


def test_autoencoders_differ_in_what_they_are_trained_on() -> None:
    x, _ = videos(4, 50)
    counts = {}
    for variant in ("AE_AllData", "AE_OCC", "AE_TD"):
        made = GCL(**TINY, variant=variant, calm=0.6).fit(x, [True, False, False, False])  # type: ignore[arg-type]
        assert {row["phase"] for row in made.history} == {"generator"}
        assert len(made.history) == TINY["epochs"]
        counts[variant] = made.history[0]["rows"]
    assert counts == {"AE_AllData": 200, "AE_OCC": 50, "AE_TD": 120}
    with pytest.raises(PagenError, match="which videos are normal for variant AE_OCC"):
        GCL(**TINY, variant="AE_OCC").fit(x)


def test_a_generator_s_own_labels_teach_it() -> None:
    x, _ = videos(2, 20)
    inputs, start = of_batch(x)
    made = GCL(**{**SMALL, "epochs": 1}, teaching="own").fit(x)
    rebuilt = start.generator(inputs)
    errors = np.linalg.norm((inputs - rebuilt).detach().numpy(), axis=1)
    labels = errors >= errors.mean() + errors.std()
    targets = torch.where(torch.from_numpy(labels)[:, None], torch.ones(16), inputs)
    (row,) = made.history
    assert (row["phase"], row["share_G"]) == ("own", labels.mean())
    np.testing.assert_allclose(row["loss_G"], (targets - rebuilt).square().sum(1).sqrt().mean().item(), rtol=1e-5)
    assert made.scored_by == "G"
    assert not any("loss_D" in row for row in GCL(**TINY, variant="PT", teaching="own").fit(x).history)


def test_soft_labels_are_errors_without_a_threshold() -> None:
    x, _ = videos(2, 20)
    inputs, start = of_batch(x)
    errors = torch.from_numpy(np.linalg.norm((inputs - start.generator(inputs)).detach().numpy(), axis=1))
    wanted = (errors - errors.min()) / (errors.max() - errors.min())
    np.testing.assert_allclose(soft_labels(errors), wanted, rtol=1e-6)
    chance = torch.sigmoid(start.discriminator(inputs)[:, 0])
    loss = -(wanted * torch.log(chance) + (1 - wanted) * torch.log(1 - chance)).mean()
    (row,) = GCL(**{**SMALL, "epochs": 1}, teaching="soft").fit(x).history
    np.testing.assert_allclose(row["loss_D"], loss.item(), rtol=1e-5)
    assert soft_labels(torch.ones(4)).tolist() == [0] * 4


def test_either_network_may_score() -> None:
    x, _ = videos(4, 50)
    by_discriminator, by_generator = GCL(**TINY).fit(x), GCL(**TINY, score="G").fit(x)
    np.testing.assert_array_equal(by_generator.errors(x), by_discriminator.errors(x))
    np.testing.assert_array_equal(by_generator.anomaly_score(x), by_discriminator.errors(x))
    assert not np.allclose(by_discriminator.anomaly_score(x), by_discriminator.errors(x))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "AE_TD", "score": "D"}, "expected score G with AE_TD, which trains no discriminator, found D"),
        ({"teaching": "own", "score": "D"}, "expected score G with teaching own"),
        ({"variant": "AE_OCC", "teaching": "own"}, "expected teaching mutual with variant AE_OCC"),
        ({"teaching": "owm"}, "no teaching named 'owm'; did you mean 'own'"),
        ({"difference": -1.0}, "a difference of 0 and more, found -1"),
        *(({"difference": odd}, "a difference of 0 and more") for odd in (math.nan, math.inf)),
        *(({name: odd}, "factors and noise of 0 and more") for name in SPREADS for odd in (math.nan, math.inf, -1.0)),
        *(({"lr": odd}, "lr above 0") for odd in (math.nan, math.inf, 0.0)),
        *(({"calm": odd}, "calm in") for odd in (math.nan, math.inf, 0.0)),
        *(({"momentum": odd}, r"a momentum in \[0, 1\)") for odd in (math.nan, math.inf, -1.0, 1.0)),
    ],
)
def test_settings_that_exclude_each_other(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        GCL(**settings)


def test_what_the_networks_say_can_be_watched() -> None:
    x, labels = videos(4, 50)
    rows, last = list[dict[str, Any]](), dict[str, Any]()

    def watch(row: dict[str, Any], seen: Seen) -> None:
        rows.append(row)
        last.update({name: (seen.scores[name].copy(), seen.labels[name].copy()) for name in "GD"})

    made = GCL(**TINY, variant="PT").fit(x, labels=labels, watch=watch)
    assert rows == made.history
    truth = np.concatenate(labels).astype(bool)
    for name, (scores, found) in last.items():
        assert made.history[-1][f"auroc_{name}"] == pytest.approx(roc_auc_score(truth, scores))
        assert made.history[-1][f"share_{name}"] == found.mean()
        assert made.history[-1][f"precision_{name}"] == truth[found].mean()
