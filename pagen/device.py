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


def exact() -> AbstractContextManager[None]:
    """A context in which a GPU rounds as it should: no short cuts in convolutions."""
    import torch

    context: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )
    return context
