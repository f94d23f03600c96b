"""The methods that pagen holds, one row each: which recipe trains it, and which network it is.

The tables of recipes and networks are made of these rows; what a paper published stands in `pagen.papers`. A method of
one's own registers by the entry points `pagen.recipes` and `pagen.networks`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """Where the parts of a method lie, as `module:attribute`; what is imported is what is asked for.

    Attributes:
        recipe: a dataclass of `pagen.train.recipes`.
        network: a class over clips or features; empty where the recipe has none, or one that another row names.
        published: whose checkpoints `pagen convert ae` makes this network of, as `--like` names them.
    """

    recipe: str
    network: str = ""
    published: tuple[str, ...] = ()


METHODS: dict[str, Method] = {
    "baseline": Method("pagen.train.recipes.clips:Baseline", "pagen.models.conv_ae:ConvAE3d", ("lntra", "steal")),
    "memae": Method("pagen.train.recipes.clips:MemAE", "pagen.models.memae:MemAE", ("memae",)),
    "patch": Method("pagen.train.recipes.clips:Patch"),
    "skip": Method("pagen.train.recipes.clips:Skip"),
    "steal": Method("pagen.train.recipes.clips:Steal"),
    "spatial": Method("pagen.train.recipes.clips:Spatial"),
    "temporal": Method("pagen.train.recipes.clips:Temporal"),
    "discriminator": Method("pagen.train.recipes.clips:Discriminator", "pagen.models.discriminator:Discriminator"),
    "unified": Method("pagen.train.recipes.clips:Unified"),
    "luss": Method("pagen.train.recipes.clips:Luss", "pagen.models.luss:LUSSAE", ("luss",)),
    "mulde": Method("pagen.train.recipes.density:Mulde"),
    "msma": Method("pagen.train.recipes.density:Msma"),
    "knn": Method("pagen.train.recipes.density:Knn"),
    "gmm": Method("pagen.train.recipes.density:Gmm"),
    "accivad": Method("pagen.train.recipes.density:AcciVad"),
    "gcl": Method("pagen.train.recipes.density:Gcl"),
}
"""Name -> method, in the order in which they are listed."""
