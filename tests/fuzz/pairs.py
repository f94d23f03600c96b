"""Claim: two commands at once on one fresh cache end well and leave what one after the other leaves.

python tests/fuzz/pairs.py [PAIRS] [FOLDER]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from commands import VERBS, Place, differences, given, told

REFUSED = "expected no other command there"
"""What a command says where another writes what two cannot: a run, a film, alerts. It is a good end."""
FILLING = ("prepare", "generate", "features", "density", "evaluate", "report", "transfer", "export")


def pairs_of() -> Iterator[tuple[str, str]]:
    """Identical commands, and different ones, over and over."""
    identical = [(name, name) for name in VERBS]
    different = [(one, other) for place, one in enumerate(FILLING) for other in FILLING[place + 1 :]]
    return cycle([*identical, *different])


def main(pairs: int = 60, folder: str = "") -> int:
    """Start, compare, and tell; returns how many pairs did not end well."""
    with tempfile.TemporaryDirectory(dir=folder or None) as top:
        start = given(Path(top, "start"))
        return sum(bool(tried(pair, start, Path(top))) for pair in islice(pairs_of(), pairs))


def tried(pair: tuple[str, str], start: Place, top: Path) -> list[str]:
    """What is odd after two commands at once, beside one after the other."""
    after, at_once = (start.copy(top / name, fresh=True) for name in ("after", "at-once"))
    for name in dict.fromkeys(pair):
        after.run(VERBS[name])
    commands = [at_once.start(VERBS[name]) for name in pair]
    odd = []
    for command in commands:
        said = command.communicate()[1]
        if command.returncode != 0 and not (command.returncode == 2 and REFUSED in said):
            odd.append(f"ended with {command.returncode}: {said[-600:]}")
    odd += differences(at_once.content(), after.content())
    told(" + ".join(pair), odd=odd)
    for place in (after, at_once):
        shutil.rmtree(place.path)
    return odd


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:2]), *sys.argv[2:3])))
