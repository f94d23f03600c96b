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
    "baseline": Method("pagen.train.recipes.plain:BaselineRecipe", "pagen.models.conv_ae:ConvAE3d", ("lntra", "steal")),
    "memae": Method("pagen.train.recipes.memae:MemAERecipe", "pagen.models.memae:MemAE", ("memae",)),
    "patch": Method("pagen.train.recipes.lntra:PatchRecipe"),
    "skip": Method("pagen.train.recipes.lntra:SkipRecipe"),
    "steal": Method("pagen.train.recipes.lntra:StealRecipe"),
    "spatial": Method("pagen.train.recipes.unified:SpatialRecipe"),
    "temporal": Method("pagen.train.recipes.unified:TemporalRecipe"),
    "discriminator": Method(
        "pagen.train.recipes.unified:DiscriminatorRecipe", "pagen.models.discriminator:Discriminator"
    ),
    "unified": Method("pagen.train.recipes.unified:UnifiedRecipe"),
    "luss": Method("pagen.train.recipes.luss:LussRecipe", "pagen.models.luss:LUSSAE", ("luss",)),
    "mulde": Method("pagen.train.recipes.density:MuldeRecipe"),
    "msma": Method("pagen.train.recipes.density:MsmaRecipe"),
    "knn": Method("pagen.train.recipes.density:KnnRecipe"),
    "gmm": Method("pagen.train.recipes.density:GmmRecipe"),
    "accivad": Method("pagen.train.recipes.density:AcciVadRecipe"),
    "gcl": Method("pagen.train.recipes.gcl:GclRecipe"),
}
"""Name -> method, in the order in which they are listed."""
