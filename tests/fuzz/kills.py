"""Claim: a kill at any moment of any verb loses nothing and leaves nothing behind.

    python tests/fuzz/kills.py [KILLS] [FOLDER]

Every command is killed time and again, by SIGKILL, SIGTERM, SIGHUP and SIGINT in turn, each time at a moment drawn from
the time that it takes; then it is run to its end. What lies in its folder then must be, byte for byte, what one that
nobody disturbed leaves there.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from commands import CALIBRATE, VERBS, Place, differences, given, record, told  # noqa: F401  # the suite asks for them here

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LONGEST = 30.0
"""Seconds that a command may take to end once it is asked to."""


def main(kills: int = 300, folder: str = "", verbs: tuple[str, ...] = tuple(VERBS)) -> int:
    """Kill, compare, and tell; returns how many files were not as they should be."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background ignores, and so would they,
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as they would what nohup ignores
    with tempfile.TemporaryDirectory(dir=folder or None) as top:
        start = given(Path(top, "start"))
        each = -(-kills // len(verbs))
        return sum(len(tried(name, start, Path(top), each)) for name in verbs)


def tried(name: str, start: Place, top: Path, kills: int, seed: int = 0) -> list[str]:
    """Files in which a command that was killed so often differs from one that was not."""
    rng, words, ends = random.Random(f"{name}{seed}"), VERBS[name], list[int]()
    undisturbed, begun = start.copy(top / f"{name}-whole"), time.monotonic()
    undisturbed.run(words)
    seconds, place, odd = time.monotonic() - begun, start.copy(top / f"{name}-killed"), list[str]()
    while len(ends) < kills:
        end = killed(place.start(words), SIGNALS[len(ends) % len(SIGNALS)], rng.uniform(0, seconds))
        if end == 0:  # it was faster, since it went on: what it left is compared, and it begins anew
            odd += differences(place.content(), undisturbed.content())
            shutil.rmtree(place.path)
            start.copy(place.path)
        else:
            ends.append(end)
    place.run(words)
    odd += differences(place.content(), undisturbed.content())
    counted = {end: ends.count(end) for end in sorted(set(ends))}
    told(name, kills=kills, ends=counted, seconds=round(seconds, 1), odd=odd)
    return odd


def killed(command: subprocess.Popen[str], number: int, seconds: float) -> int:
    """How a command ended that was sent a signal after so many seconds, with its workers where a terminal would."""
    try:
        command.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        whole = number in (signal.SIGHUP, signal.SIGINT)
        (os.killpg if whole else os.kill)(command.pid, number)
        said = command.communicate(timeout=LONGEST)[1]
        if "init_import_site" in said:  # Python itself was only beginning, and not one line of pagen was read
            return command.returncode
        if command.returncode not in (0, -number, 128 + number) or "Traceback" in said:
            raise RuntimeError(
                f"{command.args} ended with {command.returncode}: {said[:300]} ... {said[-300:]}"
            ) from None
    return command.returncode


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:2]), *sys.argv[2:3])))
