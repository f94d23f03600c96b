from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import pytest
import torch

from pagen.errors import PagenError
from pagen.spread import default_workers, one_thread, spread

pytestmark = pytest.mark.slow

# Items are functions of the standard library or of strings of code: a spawned process cannot import this file.
GUARDLESS = """
from math import factorial
from pagen.spread import spread
print("begin")
print(sorted(result for _, result in spread(factorial, [3, 5, 4], 2)))
"""
BEATING = """
import time
from pathlib import Path
from pagen.spread import spread
code = "import time\\nfor n in range(400): open({path!r}, 'a').write('.'); time.sleep(0.02)"
list(spread(exec, [code], 1))
"""


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_any_number_of_workers_gives_the_same(workers: int) -> None:
    items = list(range(12))
    expected = {item: item**3 for item in items}
    assert dict(spread(partial(pow, exp=3), items, workers)) == expected
    assert dict(spread(partial(pow, exp=3), items[::-1], workers)) == expected


def test_nothing_to_do_is_done() -> None:
    assert list(spread(abs, [], 2)) == list(spread(abs, [], 0)) == []


def test_there_is_a_worker_for_each_core() -> None:
    assert 1 <= default_workers() <= (os.cpu_count() or 1)


def test_less_than_no_worker_is_refused() -> None:
    with pytest.raises(PagenError, match="expected --workers of 0 and more, found -1"):
        list(spread(abs, [1], -1))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_error_of_an_item_arrives(workers: int, tmp_path: Path) -> None:
    from pagen.arrays import read_array

    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(PagenError, match=r"damaged file .*a\.npy"):
        list(spread(read_array, [tmp_path / "a.npy"], workers))


@pytest.mark.parametrize("death", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_killed_worker_is_told(death: str) -> None:
    with pytest.raises(PagenError, match=r"a worker process was killed, .* again with fewer --workers"):
        list(spread(exec, ["pass", f"import os, signal; {death}"], 2))


def test_items_run_with_one_thread() -> None:
    threads = {workers: list(spread(eval, ["__import__('cv2').getNumThreads()"], workers)) for workers in (0, 1)}
    assert [count for ((_, count),) in threads.values()] == [1, 1]
    ((_, count),) = spread(eval, ["__import__('torch').get_num_threads()"], 1)
    assert count == 1


def test_one_thread_puts_back_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(2)
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert (cv2.getNumThreads(), torch.get_num_threads()) == (1, 1)
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (2, 2)
        with pytest.raises(ZeroDivisionError):
            list(spread(partial(divmod, 1), [0], 0))
        assert (cv2.getNumThreads(), torch.get_num_threads()) == (2, 2)
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


def test_a_thread_may_spread_too() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lambda: sorted(spread(abs, [-1, -2], 2))).result() == [(-2, 2), (-1, 1)]


def test_who_stops_listening_stops_the_work(tmp_path: Path) -> None:
    codes = [f"import time; open({str(tmp_path / str(n))!r}, 'w').close(); time.sleep(0.05)" for n in range(30)]
    done = spread(exec, codes, 1)
    next(done)
    done.close()
    assert 1 <= len(list(tmp_path.iterdir())) < 10


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(GUARDLESS)
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "begin\n[6, 24, 120]\n", "")


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    process = subprocess.Popen([sys.executable, "-c", BEATING.format(path=str(beats))], cwd=tmp_path)
    try:
        while not beats.exists():
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    time.sleep(0.2)
    heard = beats.stat().st_size
    time.sleep(0.3)
    assert beats.stat().st_size == heard < 400
