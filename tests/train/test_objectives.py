from __future__ import annotations

import numpy as np
import torch

from pagen.train.objectives import reconstruction_error


def test_the_error_is_the_mean_over_clips_of_the_mean_squared_error_of_a_clip() -> None:
    rng = np.random.default_rng(0)
    output, target = rng.uniform(-1, 1, (2, 4, 3, 8, 5, 6))
    expected = np.mean([np.mean((o - t) ** 2) for o, t in zip(output, target, strict=True)])
    np.testing.assert_allclose(reconstruction_error(torch.from_numpy(output), torch.from_numpy(target)), expected)


def test_the_gradient_leads_to_the_target() -> None:
    output = torch.tensor([[0.5, -0.5]], requires_grad=True)
    reconstruction_error(output, torch.tensor([[0.0, 1.0]])).backward()
    torch.testing.assert_close(output.grad, torch.tensor([[0.5, -1.5]]))  # 2 (o - t) / 2
