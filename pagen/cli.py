"""The command line: a table of verbs. Nothing heavy is imported before the verb is known."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

from pagen import console
from pagen.errors import PagenError, require_name
from pagen.signals import answered, exit_code
from pagen.third_party import named
from pagen.version import __version__

VERBS = {
    "datasets": (
        "pagen.footage.list_datasets:Datasets",
        "what data sets are known, where they lie, and whether they are whole",
    ),
    "prepare": ("pagen.footage.prepare_dataset:Prepare", "decode and resize a data set once"),
    "generate": ("pagen.generate.generate:Generate", "make pseudo-anomalies out of normal footage"),
    "inspect": ("pagen.generate.inspect:Inspect", "how strong the pseudo-anomalies of a set are"),
    "features": ("pagen.features.features:Features", "vectors of a data set's frames or objects, for densities"),
    "train": ("pagen.train.train:Train", "train a recipe of the papers; without one it lists them"),
    "evaluate": ("pagen.eval.evaluate:Evaluate", "score test footage and compare runs, with intervals"),
    "transfer": ("pagen.eval.transfer.transfer:Transfer", "runs trained on one data set, tested on others"),
    "ablate": ("pagen.ablate:Ablate", "the papers' own tables, trained and measured here"),
    "report": (
        "pagen.eval.report.report:Report",
        "scores, frames and errors of a run, or of several, as one HTML file",
    ),
    "figure": ("pagen.eval.figures.figure:Figure", "scores, error maps and indicators of runs as figures for papers"),
    "calibrate": ("pagen.eval.camera.calibrate:Calibrate", "find the threshold for one's own camera on normal footage"),
    "score": ("pagen.eval.camera.score:Score", "watch a recording, a camera or a stream, and write alerts"),
    "export": (
        "pagen.train.export.export:Export",
        "write a run as a file for torch or ONNX Runtime, checked on real clips",
    ),
    "convert": ("pagen.convert:Convert", "turn a published checkpoint into a folder that pagen opens"),
    "demo": ("pagen.demo:Demo", "the whole way on procedural footage, in minutes"),
    "doctor": ("pagen.doctor:Doctor", "versions, devices, data found, and what is missing"),
}
"""Verb -> (module:configuration, what it does). The module holds `run(configuration)` too."""

_KEPT = {
    "prepare", "generate", "features", "train", "evaluate", "transfer", "ablate", "report", "figure", "demo",
}  # fmt: skip
"""Verbs that fill folders item by item, or keep a state."""
_OUTSIDE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG,
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG,
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Run `pagen ARGV` and exit: 0 done, 1 a bug, 2 what the user can mend, 130 interrupted, 128 + N by signal N."""
    console.open_streams()
    asked = sys.argv[1:] if argv is None else list(argv)
    try:
        with answered(), named():
            dispatch(asked)
        console.reader_is_gone()  # which shows here, not when the interpreter ends
    except PagenError as error:
        _leave(f"pagen: {error}", 2)
    except KeyboardInterrupt as error:
        _leave(f"pagen: interrupted; {_after(asked)}", exit_code(error))
    except OSError as error:
        if isinstance(error, BrokenPipeError) and console.reader_is_gone("\n"):
            sys.exit(0)
        if error.errno not in _OUTSIDE:
            raise
        file = f" {error.filename}" if error.filename else ""
        _leave(f"pagen: cannot write or read{file}: {error.strerror}; mend that and run the same command again", 2)


def dispatch(argv: Sequence[str]) -> None:
    """Find the verb, read its flags, run it."""
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return
    if argv[0] == "--version":
        print(f"pagen {__version__}")
        return
    _refuse_empty(argv)
    verb, rest = argv[0], argv[1:]
    require_name("verb", verb, VERBS)
    module_name, config_name = VERBS[verb][0].split(":")
    module = import_module(module_name)
    if hasattr(module, "parse"):  # a verb whose defaults depend on its first words
        _run(module, module.parse(rest))
        return
    import tyro

    config, flags = getattr(module, config_name), (tyro.conf.FlagCreatePairsOff,)
    _run(module, tyro.cli(config, prog=f"pagen {verb}", args=rest, config=flags))


def _refuse_empty(argv: Sequence[str]) -> None:
    """An empty word is no value: as a path it would be the folder where the command runs."""
    for before, word in pairwise(argv):
        if not word or re.fullmatch("--[a-z-]+=", word):
            place = word.rstrip("=") or before
            raise PagenError(f"expected something after {place}, found an empty word; is a variable not set?")


def _run(verb: Any, config: Any) -> None:
    """Run a verb; one's own footage is called as `--name` says for this command alone."""
    if not getattr(config, "called", None):
        verb.run(config)
        return
    naming = import_module("pagen.footage.named")
    try:
        verb.run(naming.named(config))
    finally:
        naming.NAMED.clear()


def usage() -> str:
    """What `pagen --help` prints."""
    verbs = "\n".join(f"  {verb:<9} {summary}" for verb, (_, summary) in VERBS.items())
    return (
        f"pagen {__version__}: video anomaly detection with pseudo-anomalies\n\nusage: pagen VERB [--flags]\n\n{verbs}"
        "\n\npagen VERB --help shows the flags of a verb. To begin: pagen demo"
    )


def _after(asked: Sequence[str]) -> str:
    """What becomes of a command that was interrupted, if it is given again."""
    if "--overwrite" in asked or not _KEPT.intersection(asked[:1]):
        return "the same command begins anew"
    return "what is done is kept, and the same command goes on from there"


def _leave(message: str, code: int) -> None:
    console.say(" ".join(message.split("\n")))
    sys.exit(code)
