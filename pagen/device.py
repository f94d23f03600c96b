"""Where networks run."""

from __future__ import annotations

from contextlib import AbstractContextManager

from pagen.errors import PagenError


def device_named(name: str) -> str:
    """A device that torch has: `cpu`, `cuda:1`, `mps`; `auto` is CUDA or else the CPU. Raises PagenError for others."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        found = f"{name!r} ({str(error).splitlines()[0]})"
        raise PagenError(f"expected a device that torch has, found {found}; use --device cpu or auto") from error
    return name


def rounding(precision: str, device: str) -> AbstractContextManager[None]:
    """A context in which networks multiply numbers of this precision: `fp32` or `bf16`, of which the sums are exact.

    Example:
        >>> import torch
        >>> with rounding("bf16", "cpu"):
        ...     torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2)).dtype
        torch.bfloat16
    """
    import torch

    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bf16")


def exact() -> AbstractContextManager[None]:
    """A context in which a GPU rounds as it should: no short cuts in convolutions."""
    import torch

    context: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return context
