"""Where networks run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

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


def mixed_precision(device: str) -> Literal["no", "bf16"]:
    """The mixed precision that training on a device is faster with: `bf16` where its hardware multiplies it, else `no`.

    Elsewhere torch does it step by step, and slower than fp32. Of a processor it takes AMX or AVX512-BF16, and a torch
    that tells of them, as releases of 2026 do.

    Example:
        >>> mixed_precision("cpu") in ("no", "bf16")
        True
    """
    import torch

    place = torch.device(device_named(device))
    if place.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(place) >= (8, 0) else "no"
    if place.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return "no"
    found = torch.cpu.get_capabilities()
    return "bf16" if found.get("amx_bf16") or found.get("avx512_bf16") else "no"


def exact() -> AbstractContextManager[None]:
    """A context in which a GPU rounds as it should: no short cuts in convolutions."""
    import torch

    context: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return context
