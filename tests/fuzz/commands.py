"""Commands over all verbs on the street, for those who kill them or start them two at once.

A command works in a folder of its own, in which `given` holds what it begins with: a PA set, a run, a recording.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PAGEN = (sys.executable, "-P", "-m", "pagen")
AT = "--dataset street"
SIZE = "--size 48 64"
TRAINED = f"--scale tiny {SIZE} --steps 6 --epochs 2 --batch 2 {AT}"
VERBS = {
    "prepare": f"prepare {AT} --size 32 48",
    "generate": f"generate {AT} {SIZE} --limit-clips 2 --kinds skip patch temporal --out pa",
    "features": f"features latents:given/run {AT} --out features",
    "train": f"train skip {TRAINED} --out runs/skip",
    "density": f"train knn --features latents:given/run {AT} --scale tiny --out runs/knn",
    "evaluate": f"evaluate given/run {AT} --protocol causal --write table.md",
    "transfer": "transfer given/run --datasets street --write transfer.md",
    "report": f"report given/run {AT} --out report.html",
    "figure": f"figure scores given/run {AT} --out figure.png",
    "inspect": "inspect given/pa",
    "calibrate": "calibrate given/run --normal given/normal.y4m --false-alarms-per-hour 300 --out camera",
    "score": "score given/camera given/test.y4m --annotate film.mp4 --out live",
    "export": f"export given/run {AT} --out model.pt2 --overwrite",
    "datasets": "datasets check street",
}
"""Verb, or what it is done with -> words of its command."""
CALIBRATE = "calibrate flow_speed --normal given/normal.y4m --false-alarms-per-hour 300 --out given/camera"
FIRST = (
    f"prepare {AT} --size native",
    f"generate {AT} {SIZE} --limit-clips 1 --kinds skip --out given/pa",
    f"train baseline {TRAINED} --out given/run",
    CALIBRATE,
)
VARYING = re.compile(r'"(?:frames_per_second|volatile)": (?:[\d.]+|\{.*?\})', re.DOTALL)
LEFT_OUT = ("environment.json",)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Place:
    """Where commands work: a folder, with the cache in it."""

    path: Path

    def start(self, words: str) -> subprocess.Popen[str]:
        """A command, in a session of its own."""
        environment = {**os.environ, **ONE_THREAD, "PAGEN_CACHE": str(self.path / "cache")}
        asked = (*PAGEN, *words.split(), *(("--workers", "1") if _spread(words) else ()))
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "start_new_session": True, "text": True}
        return subprocess.Popen(asked, cwd=self.path, env=environment, **pipes)  # type: ignore[call-overload,no-any-return]

    def run(self, words: str) -> None:
        """A command to its end. Raises RuntimeError where that is none."""
        command = self.start(words)
        said = command.communicate()[1]
        if command.returncode:
            raise RuntimeError(f"{words} ended with {command.returncode}: {said[-600:]}")

    def copy(self, path: Path, fresh: bool = False) -> Place:
        """The same place elsewhere, without the cache if it is to be fresh."""
        shutil.copytree(self.path, path, ignore=shutil.ignore_patterns("cache") if fresh else None)
        return Place(path)

    def content(self) -> dict[str, str]:
        """File -> hash of what it holds, paths of this place and figures of time aside; leftovers are files as well."""
        files = (path for path in sorted(self.path.rglob("*")) if path.is_file() and path.name not in LEFT_OUT)
        return {path.relative_to(self.path).as_posix(): self._hash(path) for path in files}

    def _hash(self, path: Path) -> str:
        content = path.read_bytes()
        if path.suffix in (".json", ".md", ".html"):
            content = VARYING.sub("", content.decode().replace(str(self.path), "")).encode()
        return hashlib.sha256(content).hexdigest()


def _spread(words: str) -> bool:
    return words.split()[0] not in ("inspect", "calibrate", "score", "datasets")


def given(path: Path) -> Place:
    """A place with what commands begin with, and `street` prepared at the sizes that they want but for `prepare`'s."""
    place = Place(path)
    (path / "given").mkdir(parents=True)
    record(path / "given")
    for words in FIRST:
        place.run(words)
    return place


def record(folder: Path) -> None:
    """Two recordings: something that moves all the time, and what goes faster in the second half of `test`."""
    rng = np.random.default_rng(0)
    for name, frames in (("normal", 120), ("test", 60)):
        parts = [b"YUV4MPEG2 W64 H48 F10:1 Cmono\n"]
        for frame in range(frames):
            picture = rng.integers(0, 40, (48, 64), np.uint8)
            left = frame * (1 if name == "normal" or frame < 30 else 5) % 48
            picture[20:32, left : left + 12] = 220
            parts += [b"FRAME\n", picture.tobytes()]
        (folder / f"{name}.y4m").write_bytes(b"".join(parts))


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Files that are missing, too many, or other than they should be."""
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def told(name: str, **figures: object) -> None:
    """A line of what was tried."""
    sys.stdout.write(json.dumps({"tried": name, **figures}) + "\n")
    sys.stdout.flush()
