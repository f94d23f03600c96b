from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from pagen.errors import PagenError
from pagen.models.density.detector import rows_of
from pagen.models.density.mulde import MULDE
from pagen.models.density.standard import Whitening

RNG = np.random.default_rng(0)
ROWS = (RNG.normal(size=(300, 4)) @ RNG.normal(size=(4, 9)) + 0.01 * RNG.normal(size=(300, 9)) + 5).astype(np.float32)


def test_it_is_scikit_learns_whitened_pca() -> None:
    ours = Whitening.of(rows_of([ROWS[:100], ROWS[100:]]), 3)(ROWS)
    theirs = PCA(3, whiten=True, svd_solver="full").fit(ROWS.astype(np.float64)).transform(ROWS)
    signs = np.sign((ours * theirs).sum(0))
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-6)


def test_what_does_not_vary_gives_no_component() -> None:
    wide = np.hstack([ROWS, np.full((300, 2), 7, np.float32), ROWS[:, :1]])
    white = Whitening.of(rows_of(wide), 12)
    assert white.size == 9
    np.testing.assert_allclose(np.cov(white(wide).T), np.eye(9), atol=1e-6)
    with pytest.raises(PagenError, match="features that vary"):
        Whitening.of(rows_of(np.ones((5, 3))), 2)


def test_a_detector_keeps_it(tmp_path: Path) -> None:
    small = {"widths": (16,), "steps": 5, "batch": 32, "scales": 4}
    made = MULDE(**small, principal=3).fit(ROWS)
    assert made.standard.size == 3
    made.save(tmp_path)
    np.testing.assert_array_equal(MULDE.load(tmp_path).anomaly_score(ROWS), made.anomaly_score(ROWS))
    assert MULDE(**small, principal=9).fit(ROWS).standard.size == 9  # no wider than that: as they are
    with pytest.raises(PagenError, match="principal of 0 and more"):
        MULDE(principal=-1)
