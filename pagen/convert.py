"""The verb `convert`: a published checkpoint into a folder that pagen opens, offline and without foreign code."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import tyro

from pagen import console
from pagen.errors import PagenError, require_name
from pagen.flags import Json
from pagen.locks import locked, unless_held
from pagen.methods import METHODS

if TYPE_CHECKING:
    Like = str
else:
    Like = Literal[("auto", *(name for method in METHODS.values() for name in method.published))]


class Convert(Protocol):
    """A form of checkpoint: the folder it writes to, whether it prints JSON, and the conversion into a new folder."""

    @property
    def out(self) -> Path: ...
    @property
    def json(self) -> bool: ...
    def write(self, folder: Path) -> None: ...


@dataclass(frozen=True)
class LDMInpainting:
    """The inpainting model of CompVis/latent-diffusion, as a folder of diffusers."""

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CKPT")]
    """The published last.ckpt, or its weights as .safetensors."""
    config: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CONFIG")]
    """The config.yaml that belongs to it."""
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """Folder to write; it must not exist."""
    json: Json = False

    def write(self, folder: Path) -> None:
        from pagen.models.convert.ldm import convert

        convert(self.checkpoint, self.config).save_pretrained(folder)


@dataclass(frozen=True)
class AE:
    """An autoencoder of clips by LNTRA, STEAL, MemAE or LUSS-AE, as a folder of pagen."""

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CKPT")]
    """Its weights as torch.save writes a state_dict, or as .safetensors; not a pickle of modules."""
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """Folder to write; it must not exist."""
    like: Like = "auto"
    """Whose it is; auto tells by the names of the weights."""
    json: Json = False

    def write(self, folder: Path) -> None:
        from pagen.models.convert.ae import card_of, convert

        network = convert(self.checkpoint, self.like)
        network.save_pretrained(folder, card_of(network, self.checkpoint))


@dataclass(frozen=True)
class ViFiCLIP:
    """The image encoder of ViFi-CLIP, as a CLIP of transformers for the encoder vificlip:FOLDER."""

    checkpoint: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CKPT")]
    """The published .pth (fully fine-tuned, no prompts), or its weights as .safetensors."""
    out: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="OUT")]
    """Folder to write; it must not exist."""
    json: Json = False

    def write(self, folder: Path) -> None:
        from pagen.models.convert.vificlip import convert

        convert(self.checkpoint, folder)


FORMS: dict[str, type[Convert]] = {"ldm-inpainting": LDMInpainting, "ae": AE, "vificlip": ViFiCLIP}


def parse(argv: Sequence[str]) -> Convert:
    """Read `FORM FILES... OUT`; the form decides which files."""
    if not argv or argv[0] in ("-h", "--help"):
        console.result(None, False, _usage())
        raise SystemExit(0)
    name, rest = argv[0], list(argv[1:])
    require_name("form of checkpoint", name, FORMS)
    return tyro.cli(FORMS[name], prog=f"pagen convert {name}", args=rest, config=(tyro.conf.FlagCreatePairsOff,))


def run(config: Convert) -> None:
    """The verb `convert`."""
    with _whole(config.out) as folder:
        config.write(folder)
    console.result({"folder": str(config.out)}, config.json, f"{config.out}: converted")


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out`, which becomes `out` when the block ends well and goes when it does not.

    What a killed command left of such goes, too.
    """
    _require_new(out)
    new = not out.parent.exists()
    for leftover in out.parent.glob(f".tmp-*-{glob.escape(out.name)}"):
        with unless_held(leftover) as dead:
            if dead:
                shutil.rmtree(leftover)
    temporary = out.with_name(f".tmp-{os.getpid()}-{out.name}")
    temporary.mkdir(parents=True)
    try:
        with locked(temporary):
            yield temporary
            _require_new(out)  # another command may have been faster
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if new and not any(out.parent.iterdir()):
            out.parent.rmdir()


def _require_new(out: Path) -> None:
    if os.path.lexists(out):
        raise PagenError(f"expected a new folder to write to, found {out} there already; remove it or name another")


def _usage() -> str:
    forms = "\n".join(f"  {name:<15} {(form.__doc__ or '').splitlines()[0]}" for name, form in FORMS.items())
    usage = "usage: pagen convert FORM CKPT [CONFIG] OUT [--json]"
    return f"{usage}\n\n{forms}\n\npagen convert FORM --help shows what it reads."
