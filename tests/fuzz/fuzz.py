"""Mangled files for every reader: `make fuzz`. Each must end in a value or in one line, within 10 s and 2 GB.

    python tests/fuzz/fuzz.py [INPUTS] [SEED] [READER]

A process reads; where it dies or is silent for too long it is replaced, and what it read is a find. Finds lie in
build/fuzz, under the reader's name and the input's number. Exit 1 where there are any.
"""

from __future__ import annotations

import random
import resource
import sys
import traceback
import warnings
from collections import Counter
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))
from mangle import mangled
from readers import READERS, Reader

PATIENCE, MOST_MEMORY = 10.0, 2 << 20
"""Seconds, and kilobytes beyond those of the process that has read nothing yet."""
FINDS = Path("build/fuzz")


def content_of(name: str, index: int, seed: int) -> bytes:
    """The input of that number for a reader; the same every time."""
    draw = random.Random(f"{seed} {name} {index}")
    return mangled(READERS[name].content, READERS[draw.choice(list(READERS))].content, draw)


def fault_of(reader: Reader, content: bytes) -> str:
    """Where a file ends in anything but a value or one line: the last lines of the traceback, else nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder, reader.name)
        path.write_bytes(content)
        try:
            with warnings.catch_warnings(action="error"):
                reader.read(path)
        except reader.refusals as error:
            return "" if "\n" not in str(error) else f"several lines: {str(error)[:200]!r}"
        except BaseException as error:
            frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "pagen" in frame.filename]
            place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
            return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:120]}"
    return ""


def read_all(jobs: list[tuple[str, int]], seed: int, answers: Connection) -> None:
    """What a process does: (number of the job, fault) for each; begins with a number alone."""
    usual = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, (name, index) in enumerate(jobs):
        fault = fault_of(READERS[name], content_of(name, index, seed))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - usual
        if grown > MOST_MEMORY and not fault:
            fault, usual = f"{grown >> 10} MB", usual + grown
        answers.send((number, fault))


def faults_of(jobs: list[tuple[str, int]], seed: int) -> list[tuple[str, int, str]]:
    """(reader, number, fault) of every input that has one."""
    faults, done = [], 0
    while done < len(jobs):
        ours, theirs = get_context("fork").Pipe()
        process = get_context("fork").Process(target=read_all, args=(jobs[done:], seed, theirs))
        process.start()
        theirs.close()
        first = done
        while done < len(jobs):
            try:
                fault = ours.recv()[1] if ours.poll(PATIENCE) else "silent for 10 s"
            except EOFError:
                fault = "the process died"
            if fault:
                faults.append((*jobs[done], fault))
            done += 1
            if fault in ("silent for 10 s", "the process died"):
                break
        process.kill()
        process.join()
        ours.close()
        assert done > first
    return faults


def main() -> None:
    inputs, seed, only = [*sys.argv[1:], *("20000", "0", "")[len(sys.argv) - 1 :]]
    names = [name for name in READERS if only in ("", name)]
    jobs = [(names[index % len(names)], index) for index in range(int(inputs))]
    faults = faults_of(jobs, int(seed))
    FINDS.mkdir(parents=True, exist_ok=True)
    for name, index, _ in faults:
        (FINDS / f"{name.replace('/', '-')} {index}").write_bytes(content_of(name, index, int(seed)))
    for (name, fault), count in Counter((name, fault.partition(":")[0]) for name, _, fault in faults).most_common():
        example = next((index, text) for other, index, text in faults if other == name and text.startswith(fault))
        print(f"{count} x {name}: {example[1]} (input {example[0]})")
    print(f"{inputs} inputs, {len(names)} readers, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
