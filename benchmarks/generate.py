"""Claim: frames (flow maps, clips) a second of every kind of pseudo-anomaly, and what memory it takes.

Ped2's training split at 256x256 where it is found (PAGEN_DATA), else of the street; prepared footage and flow
made before, and timed as kinds of their own. Then all four kinds together from nothing. Memory: the sum of
what the processes hold alone, at its highest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from found import ped2_or_street

KINDS = ("spatial", "temporal", "skip", "patch")


def main() -> None:
    """Run the commands one after the other."""
    dataset = ped2_or_street()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PAGEN_CACHE"] = f"{folder}/cache"
        timed("prepare", ["prepare", "--dataset", dataset, "--size", "256", "256"])
        flow = ["--kinds", "temporal", "--flow", "tvl1"]
        timed("flow and temporal", ["generate", "--dataset", dataset, *flow, "--out", f"{folder}/warm"])
        for kind in KINDS:
            command = ["generate", "--dataset", dataset, "--kinds", kind, "--flow", "tvl1"]
            timed(kind, [*command, "--out", f"{folder}/{kind}"])
        os.environ["PAGEN_CACHE"] = f"{folder}/cold"
        timed("all, from nothing", ["generate", "--dataset", dataset, "--flow", "tvl1", "--out", f"{folder}/all"])


def timed(name: str, arguments: list[str]) -> None:
    """Run a verb with --json and print its seconds, rate and peak memory."""
    command = [sys.executable, "-m", "pagen", *arguments, "--json"]
    seconds, peak, answer = measured(command)
    counts = [count for count, _, _ in json.loads(answer).get("kinds", {}).values()]
    rate = f"{sum(counts) / seconds:8.1f} a second" if counts else ""
    print(f"{name:<18} {seconds:7.1f} s  {peak / 1e6:6.0f} MB  {rate}", flush=True)


def measured(command: list[str]) -> tuple[float, int, str]:
    """Seconds, highest sum of the private memory of all its processes (bytes), and what it printed."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        peaks = [0]
        watcher = threading.Thread(target=watch, args=(process, peaks))
        watcher.start()
        answer, _ = process.communicate()
        watcher.join()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} left with {process.returncode}")
    return time.perf_counter() - begin, peaks[0], answer


def watch(process: subprocess.Popen[str], peaks: list[int]) -> None:
    """Keep the highest sum while the process lives."""
    while process.poll() is None:
        peaks[0] = max(peaks[0], sum(map(private, family(process.pid))))
        time.sleep(0.2)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [pid, *(one for child in text.split() for one in family(int(child)))]


def private(pid: int) -> int:
    """Bytes that a process holds alone; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) * 1024


if __name__ == "__main__":
    main()
