from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import kstest, norm
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.autograd import functional, gradcheck

from pagen.errors import PagenError
from pagen.models.density.detector import Rows, rows_of
from pagen.models.density.mixture import Mixture
from pagen.models.density.mulde import MULDE, log_density_loss
from pagen.models.density.noise_perceptron import NoisePerceptron, drawn, fit
from pagen.models.density.standard import Standard

Vectors = npt.NDArray[np.float64]
SMALL: dict[str, Any] = {"widths": (8, 8), "scales": 5, "steps": 3, "batch": 16, "components": 1}


def network(features: int = 5, widths: tuple[int, ...] = (7, 6), outputs: int = 1) -> NoisePerceptron:
    torch.manual_seed(0)
    return NoisePerceptron(features, outputs, widths).double()


def batch(count: int = 9, features: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1)
    x, noise = torch.randn(2, count, features, generator=rng, dtype=torch.float64)
    return x, 0.1 + torch.rand(count, 1, generator=rng, dtype=torch.float64), noise


def plain(made: NoisePerceptron) -> dict[str, Vectors]:
    """The parameters as the released code keeps them: the scale is the last column of the first layer."""
    named = {name: value.detach().numpy() for name, value in made.named_parameters()}
    return named | {"whole": np.column_stack([named["first"], named["noise"]])}


def closed_form(made: NoisePerceptron, x: Tensor, sigma: Tensor, noise: Tensor, beta: float) -> tuple[float, dict]:
    """Loss and its gradients of a perceptron with two hidden layers, worked out by hand."""
    p, rows = plain(made), len(x)
    clean, s, eps = x.numpy(), sigma.numpy(), noise.numpy()
    w1, w2, w3 = p["whole"], p["hidden.0.weight"], p["last.weight"]

    def forward(u: Vectors) -> tuple[Vectors, ...]:
        z1 = u @ w1.T + p["bias"]
        z2 = z1 * norm.cdf(z1) @ w2.T + p["hidden.0.bias"]
        return z1, z2, z2 * norm.cdf(z2) @ w3.T + p["last.bias"]

    def first(z: Vectors) -> Vectors:
        return np.asarray(norm.cdf(z) + z * norm.pdf(z))

    def second(z: Vectors) -> Vectors:
        return np.asarray(norm.pdf(z) * (2 - z**2))

    u = np.column_stack([clean + s * eps, s])
    z1, z2, _ = forward(u)
    d2 = w3 * first(z2)
    e = d2 @ w2
    d1 = e * first(z1)
    residual = s * (d1 @ w1[:, :-1]) - eps
    c = s * residual / rows
    v = c @ w1[:, :-1].T
    eb = v * first(z1)
    db = eb @ w2.T
    z2b = db * w3 * second(z2)
    z1b = v * e * second(z1) + z2b @ w2 * first(z1)
    dw1 = z1b.T @ u
    dw1[:, :-1] += d1.T @ c
    dw2 = d2.T @ eb + z2b.T @ (z1 * norm.cdf(z1))
    dw3, db1, db2, db3 = (db * first(z2)).sum(0), z1b.sum(0), z2b.sum(0), 0.0
    loss = (residual**2).sum() / (2 * rows)

    u = np.column_stack([clean, s])
    z1, z2, f = forward(u)
    fb = beta * f / rows
    z2b = fb * w3 * first(z2)
    z1b = z2b @ w2 * first(z1)
    dw1, db1 = dw1 + z1b.T @ u, db1 + z1b.sum(0)
    dw2, db2 = dw2 + z2b.T @ (z1 * norm.cdf(z1)), db2 + z2b.sum(0)
    dw3, db3 = dw3 + (fb * z2 * norm.cdf(z2)).sum(0), db3 + fb.sum()
    loss += beta * (f**2).sum() / (2 * rows)
    names = ("first", "noise", "bias", "hidden.0.weight", "hidden.0.bias", "last.weight", "last.bias")
    values = (dw1[:, :-1], dw1[:, -1], db1, dw2, db2, dw3[None], np.full(1, db3))
    return float(loss), dict(zip(names, values, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("widths", [(7,), (7, 6), (4, 5, 6)])
def test_the_network_is_the_plain_formula(widths: tuple[int, ...]) -> None:
    made, (x, sigma, _) = network(widths=widths, outputs=3), batch()
    values = np.column_stack([x, sigma]) @ plain(made)["whole"].T + made.bias.numpy()
    for layer in (*made.hidden, made.last):
        values = values * norm.cdf(values) @ layer.weight.numpy().T + layer.bias.numpy()  # type: ignore[union-attr, operator]
    np.testing.assert_allclose(made(x, sigma).numpy(), values, rtol=1e-12)
    for scale, output in zip((0.01, 0.7), made.at_scales(x, (0.01, 0.7)), strict=True):
        torch.testing.assert_close(output, made(x, torch.full_like(sigma, scale)), rtol=1e-12, atol=1e-12)


def test_parameters_and_how_they_begin() -> None:
    made = NoisePerceptron(1152)
    assert sum(p.numel() for p in made.parameters()) == 4096 * 1153 + 4096 + 4096 * 4096 + 4096 + 4096 + 1
    for weight in (made.first, made.noise, made.bias):  # as torch's linear layer of 1153 features
        assert 0.99 / math.sqrt(1153) < weight.abs().max() <= 1 / math.sqrt(1153)


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_the_gradients_are_those_worked_out_by_hand(beta: float) -> None:
    made, (x, sigma, noise) = network(), batch()
    loss = log_density_loss(made, x, sigma, noise, beta)
    loss.backward(inputs=list(made.parameters()))
    expected, gradients = closed_form(made, x, sigma, noise, beta)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    for name, parameter in made.named_parameters():
        if name == "last.bias" and not beta:
            assert parameter.grad is None  # no gradient sees f's constant
        else:
            assert parameter.grad is not None
            np.testing.assert_allclose(parameter.grad.numpy(), gradients[name], rtol=1e-10, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_the_gradients_are_finite_differences(beta: float) -> None:
    made, (x, sigma, noise) = network(3, (4, 4)), batch(4, 3)
    parameters = dict(made.named_parameters())
    names = [name for name in parameters if beta or name != "last.bias"]

    def loss(*values: Tensor) -> Tensor:
        changed = parameters | dict(zip(names, values, strict=True))

        def call(*inputs: Tensor) -> Any:
            return torch.func.functional_call(made, changed, inputs)

        return log_density_loss(call, x, sigma, noise, beta)  # type: ignore[arg-type]  # the network is but called

    assert gradcheck(loss, [parameters[name] for name in names])


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_the_loss_is_equation_6_as_it_is_written(beta: float) -> None:
    made, (x, sigma, noise) = network(), batch()
    terms = []
    for row, s, e in zip(x, sigma, noise, strict=True):
        noisy = row + s * e
        slope = functional.jacobian(lambda at, s=s: made(at[None], s[None])[0, 0], noisy)
        matching = ((slope - (noisy - row) / s**2) ** 2).sum()
        terms.append(s**2 * matching + beta * made(row[None], s[None]).squeeze() ** 2)
    torch.testing.assert_close(log_density_loss(made, x, sigma, noise, beta), torch.stack(terms).mean() / 2)


def test_a_step_draws_features_scales_and_noise() -> None:
    training = np.random.default_rng(0).normal(5, 2, (50, 3))
    standard = Standard.of(rows_of(training))
    rng = torch.Generator().manual_seed(0)
    x, sigma, noise = drawn(rows_of(training), standard, 4000, (1e-3, 1.0), rng)
    known = {tuple(row) for row in standard(training).astype(np.float32).tolist()}
    assert {tuple(row) for row in x.tolist()} == known  # every one of them in 4000 draws, and no other
    assert kstest(np.log10(sigma[:, 0].numpy()), "uniform", (-3, 3)).pvalue > 0.01
    assert kstest(noise.flatten().numpy(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(sigma[:, 0], noise[:, 0])[0, 1]) < 0.05


def test_training_is_a_function_of_the_seed_and_ends_in_evaluation_mode() -> None:
    rows = rows_of(np.random.default_rng(0).standard_normal((50, 5)))
    standard = Standard.of(rows)

    def trained(seed: int) -> tuple[Vectors, Tensor]:
        made = network().float()
        losses = fit(made, rows, standard, log_density_loss, steps=4, batch=8, seed=seed)
        assert not made.training
        return losses, made.first.detach()

    (losses, weights), (again, same), (other, _) = (trained(seed) for seed in (0, 0, 1))
    assert losses.shape == (4,)
    np.testing.assert_array_equal(losses, again)
    assert torch.equal(weights, same)
    assert not np.allclose(losses, other)


def test_a_loss_that_is_lost_is_told() -> None:
    rows = rows_of(np.random.default_rng(0).standard_normal((50, 5)))
    with pytest.raises(PagenError, match=r"expected a finite loss, found nan, the first at step [12]; lower lr"):
        fit(network().float(), rows, Standard.of(rows), log_density_loss, steps=4, batch=8, lr=1e30)


class Clouds:
    """A mixture of round Gaussians with weights and deviations of their own, and its exact density under noise."""

    def __init__(self, features: int, deviation: float) -> None:
        centres = np.random.default_rng(1).standard_normal((3, features))
        centres -= centres.mean(0)
        self.centres = centres * np.sqrt((1 - deviation**2) / (centres**2).mean())
        self.weights, self.deviations = np.array([1, 2, 3]) / 6, deviation * np.array([0.9, 1, 1.1])

    def draw(self, count: int, seed: int) -> Vectors:
        rng = np.random.default_rng(seed)
        which = rng.choice(3, count, p=self.weights)
        return self.centres[which] + self.deviations[which, None] * rng.standard_normal((count, len(self.centres[0])))

    def negative_log_density(self, x: Vectors, sigma: float) -> Vectors:
        logs = [
            np.log(weight) + norm.logpdf(x, centre, np.hypot(deviation, sigma)).sum(1)
            for weight, centre, deviation in zip(self.weights, self.centres, self.deviations, strict=True)
        ]
        return np.asarray(-np.logaddexp.reduce(logs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "deviation", "width", "steps", "spread", "most"),
    [(2, 0.5, 64, (600, 300, 200), 0.12, 0.4), (10, 0.8, 128, (600, 400, 300), 0.25, 0.7)],
)
def test_the_density_is_right_up_to_a_constant(
    features: int, deviation: float, width: int, steps: tuple[int, ...], spread: float, most: float
) -> None:
    """In nats: deviation of f minus the exact value where the noised data lie, and what 99 % stay below."""
    clouds = Clouds(features, deviation)
    rows, standard = rows_of(clouds.draw(50_000, 0)), Standard(np.zeros(features), np.ones(features))
    torch.manual_seed(0)
    made = NoisePerceptron(features, 1, (width, width))
    objective = partial(log_density_loss, beta=0.0)
    for seed, (count, lr) in enumerate(zip(steps, (5e-3, 1e-3, 2e-4), strict=True)):
        fit(made, rows, standard, objective, count, 512, lr, (0.1, 1.3), seed=seed)
    for sigma in (0.2, 0.35, 0.6, 1.0):
        x = clouds.draw(4000, 1) + sigma * np.random.default_rng(2).standard_normal((4000, features))
        with torch.no_grad():
            f = made(torch.from_numpy(x).float(), torch.full((4000, 1), sigma))[:, 0].double().numpy()
        exact = clouds.negative_log_density(x, sigma)
        difference = f - exact
        assert difference.std() < spread
        assert np.quantile(np.abs(difference - np.median(difference)), 0.99) < most
        assert exact.std() > 5 * difference.std()  # what would be left of a constant f


NORMAL = [(1, 0), (-1, 0), (0, 1), (0, -1)]
ABNORMAL = [(a, b) for a in (0.5, -0.5) for b in (0.5, -0.5)] + [(0, 0), (1.7, 0), (-1.7, 0), (0, 1.7), (0, -1.7)]


def toy(centres: list[Any], count: int, seed: int) -> Vectors:
    rng = np.random.default_rng(seed)
    where = np.array(centres)[rng.integers(len(centres), size=count)]
    return np.asarray((0.3 * rng.standard_normal((count, 2)) + 4 * where) / 2**0.5)


def auroc(normal: Vectors, abnormal: Vectors) -> float:
    labels = np.repeat([0, 1], [len(normal), len(abnormal)])
    return float(roc_auc_score(labels, np.concatenate([normal, abnormal])))


@pytest.fixture(scope="module")
def fitted() -> MULDE:
    return MULDE(widths=(128, 128), steps=500, batch=512, lr=2e-3, sample=2000).fit(toy(NORMAL, 10_000, 0))


@pytest.mark.slow
def test_the_papers_toy(fitted: MULDE) -> None:
    normal, abnormal = toy(NORMAL, 2000, 1), toy(ABNORMAL, 2000, 2)
    assert auroc(fitted.anomaly_score(normal), fitted.anomaly_score(abnormal)) > 0.99
    each = [auroc(*pair) for pair in zip(fitted.vectors(normal).T, fitted.vectors(abnormal).T, strict=True)]
    assert min(each[:7]) > 0.99  # up to sigma = 0.4
    assert each[15] < 0.8  # nothing is left of the modes at sigma = 1, in the exact density either


@pytest.mark.slow
def test_between_the_modes_the_gradient_vanishes_and_the_density_tells(fitted: MULDE) -> None:
    normal, between = toy(NORMAL, 500, 1), toy([(0, 0)], 500, 2) * 0.3

    def both(x: Vectors, sigma: float) -> tuple[Vectors, Vectors]:
        inputs = torch.from_numpy(fitted.standard(x)).float().requires_grad_()
        f = fitted.network(inputs, torch.full((len(x), 1), sigma))
        (slope,) = torch.autograd.grad(f.sum(), inputs)
        return f.detach()[:, 0].double().numpy(), slope.norm(dim=1).double().numpy()

    for sigma in (0.2, 0.334, 0.5):
        densities, lengths = zip(both(normal, sigma), both(between, sigma), strict=True)
        assert auroc(*densities) > 0.99
        assert auroc(*lengths) < 0.6


def test_scores_join_the_scales_as_asked() -> None:
    training, new = toy(NORMAL, 300, 3), toy(ABNORMAL, 20, 4)
    made = {reduce: MULDE(**SMALL, reduce=reduce).fit(training) for reduce in ("mixture", "max", "mean", "median")}  # type: ignore[arg-type]
    usual = made["max"].vectors(training)
    values = (made["max"].vectors(new) - usual.mean(0)) / usual.std(0, ddof=1)
    for reduce in ("max", "mean", "median"):
        np.testing.assert_allclose(made[reduce].anomaly_score(new), getattr(np, reduce)(values, 1), rtol=1e-9)
    mixture = Mixture(components=1).fit(usual)
    np.testing.assert_allclose(made["mixture"].score_samples(new), mixture.score_samples(made["max"].vectors(new)))
    single = MULDE(**SMALL, reduce="single", single=0.25).fit(training)
    assert single.levels == [0.25]
    np.testing.assert_allclose(single.anomaly_score(new), single.vectors(new)[:, 0])


def test_vectors_are_the_networks_answers_at_evenly_spaced_scales() -> None:
    training = np.random.default_rng(0).normal(3, 2, (300, 4))
    made = MULDE(**SMALL).fit(training)
    assert made.levels == pytest.approx([0.001, 0.25075, 0.5005, 0.75025, 1.0])
    assert MULDE().levels[:3] == pytest.approx([0.001, 0.0676, 0.1342])
    x = torch.from_numpy((training - training.mean(0)) / training.std(0, ddof=1)).float()
    with torch.no_grad():
        expected = torch.cat([made.network(x, torch.full((300, 1), level)) for level in made.levels], 1)
    np.testing.assert_allclose(made.vectors(training), expected.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_the_regulariser_keeps_the_scales_alike() -> None:
    training = toy(NORMAL, 2000, 0)
    shared: dict[str, Any] = {"widths": (32, 32), "steps": 200, "batch": 256, "lr": 3e-3, "reduce": "mean"}
    free, kept = (MULDE(**shared, beta=beta).fit(training).vectors(training).mean(0) for beta in (0.0, 0.1))
    assert kept.std() < 0.5 * free.std()


def test_errors() -> None:
    with pytest.raises(PagenError, match="no reduce named 'meen'; did you mean 'mean'"):
        MULDE(reduce="meen")  # type: ignore[arg-type]
    for wrong in ({"widths": ()}, {"widths": (0,)}, {"scales": 0}, {"steps": 0}, {"batch": 0}, {"sample": 0}):
        with pytest.raises(PagenError, match="of 1 and more"):
            MULDE(**wrong)  # type: ignore[arg-type]
    for sigmas in ((0, 1), (1, 0.1), (0.1,)):
        with pytest.raises(PagenError, match="expected sigmas 0 < low < high"):
            MULDE(sigmas=sigmas)
    with pytest.raises(PagenError, match="expected 5 features at least for MULDE, found 4"):
        MULDE().fit(np.random.default_rng(0).random((4, 3)))
    with pytest.raises(PagenError, match="expected a device that torch has, found 'gpu'"):
        MULDE(**SMALL, device="gpu").fit(np.random.default_rng(0).random((9, 3)))


def test_rows_of_one_part_and_many_train_alike() -> None:
    training = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    one, many = Rows((training,)), Rows((training[:3], training[3:30], training[30:]))
    losses = [
        fit(network(3).float(), rows, Standard.of(one), log_density_loss, steps=3, batch=8) for rows in (one, many)
    ]
    np.testing.assert_array_equal(*losses)
