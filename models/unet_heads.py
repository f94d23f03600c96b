"""diffusers' `UNet2DModel` with one number of heads for all levels, as the denoisers of CompVis have it.

`UNet2DModel` gives every head the same width, so wider levels have more heads. The inpainting model has 8
heads at 512, 768 and 1024 channels, which no width expresses. Opened as a plain `UNet2DModel` the same folder
gives numbers without any meaning.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from diffusers import ModelMixin, UNet2DModel
from diffusers.models.attention_processor import Attention

__all__ = ["ModelMixin", "UNet2DHeadsModel"]  # diffusers looks in a component's module for what can load it


class UNet2DHeadsModel(UNet2DModel):  # type: ignore[misc]  # diffusers' types are not followed
    """`UNet2DModel` whose `attention_head_dim` counts the heads, as it does in `UNet2DConditionModel`.

    Every level with attention must have a multiple of that many channels.

    Example:
        >>> blocks = {"down_block_types": ("AttnDownBlock2D",), "up_block_types": ("AttnUpBlock2D",)}
        >>> unet = UNet2DHeadsModel(block_out_channels=(8,), norm_num_groups=4, attention_head_dim=2, **blocks)
        >>> {module.heads for module in unet.modules() if isinstance(module, Attention)}
        {2}
    """

    # diffusers reads the signature to know what a configuration holds
    @wraps(UNet2DModel.__init__)  # type: ignore[misc]  # as above
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for module in self.modules():
            if isinstance(module, Attention):
                module.heads = self.config.attention_head_dim
                module.scale = (module.inner_dim // module.heads) ** -0.5
