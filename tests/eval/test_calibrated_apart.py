"""Videos that are calibrated apart, as those of scenes are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.eval.protocol import Protocol, apply
from pagen.eval.protocols import CAUSAL, RAW
from pagen.eval.scores import Scores
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of

PLAIN = Protocol("plain", "plain", fused={"two": ("psnr_local", "prp")})
LABELS = {"a": np.array([0, 0, 1, 1], np.uint8), "b": np.array([0, 1, 0, 1], np.uint8)}
LOCAL = {"a": np.array([1.0, 2.0, 3.0, 4.0]), "b": np.array([101.0, 104.0, 102.0, 103.0])}
PRP = {"a": np.array([0.0, 0.5, 0.1, 0.9]), "b": np.array([5.0, 6.0, 5.5, 9.0])}
KNOWN = {
    "a": {"psnr_local": {"p1": 0.0, "median": 1.0, "p99": 2.0}, "prp": {"p1": 0.0, "median": 0.2, "p99": 0.5}},
    "b": {"psnr_local": {"p1": 100.0, "median": 101.0, "p99": 104.0}, "prp": {"p1": 5.0, "median": 5.2, "p99": 9.0}},
}
BY_HAND = {"a": (LOCAL["a"] - 1) / 2, "b": (LOCAL["b"] - 101) / 4}


def test_an_indicator_alone_is_moved_video_by_video() -> None:
    final, _ = apply(PLAIN, {"psnr_local": LOCAL}, LABELS, by_video=KNOWN)
    for video, values in BY_HAND.items():
        np.testing.assert_allclose(final[video], values)
    together, _ = apply(PLAIN, {"psnr_local": LOCAL}, LABELS, calibration=KNOWN["a"])
    np.testing.assert_array_equal(together["b"], LOCAL["b"])


def test_what_is_fused_is_calibrated_video_by_video() -> None:
    final, _ = apply(PLAIN, {"psnr_local": LOCAL, "prp": PRP}, LABELS, by_video=KNOWN)
    np.testing.assert_allclose(final["b"], (BY_HAND["b"] + (PRP["b"] - 5.2) / 4) / 2)


def test_alike_calibrations_change_no_sum() -> None:
    parts = {"psnr_local": LOCAL, "prp": PRP}
    together, _ = apply(PLAIN, parts, LABELS, calibration=KNOWN["a"])
    apart, _ = apply(PLAIN, parts, LABELS, by_video=dict.fromkeys(LABELS, KNOWN["a"]))
    for video, values in together.items():
        np.testing.assert_array_equal(apart[video], values)


def test_a_table_has_them_in_its_micro_and_not_in_its_raw_column() -> None:
    clips = {video: {"psnr_local": LOCAL[video]} for video in LABELS}
    config = {"recipe": {"recipe": "one"}, "calibration": KNOWN["a"]}
    scores = Scores(Path("run"), config, clips, LABELS, by_clip=KNOWN)
    settings = EvaluationSettings(fps=10)
    for protocol in (PLAIN, replace(CAUSAL, smooth="none"), RAW):
        row = table_of(protocol, series_of(protocol, [("run", scores)], settings), settings).rows[0]
        labels = np.concatenate([*LABELS.values()])
        assert row.micro == pytest.approx(roc_auc_score(labels, np.concatenate([*BY_HAND.values()])))
        assert row.raw == pytest.approx(roc_auc_score(labels, np.concatenate([*LOCAL.values()])))
        assert row.raw != pytest.approx(row.micro)
