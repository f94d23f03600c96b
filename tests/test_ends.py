"""How a command ends: asked to by signals, by readers and terminals that go away, by letters that a stream lacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pagen import cli, console
from pagen.cli import VERBS, main
from pagen.folders import tree_hash
from pagen.signals import answered, deferred

pytestmark = pytest.mark.slow

PAGEN = [sys.executable, "-P", "-m", "pagen"]
PREPARE = ["prepare", "--dataset", "street", "--workers", "1"]
LONG, SHORT = ("--size", "480", "640"), ("--size", "48", "64")
"""A command that is not done before a busy machine comes to ask it to end, and one that is soon done."""
SPEAKING = """
import sys
from pagen import cli, console
cli.dispatch = lambda asked: console.result({"clip": "Überwachung \\udcff"}, asked == ["--json"], "Überwachung \\udcff")
cli.main(sys.argv[1:])
"""
ASKED_WHILE_IMPORTED = """
import builtins, os, runpy
from_outside = builtins.__import__
def asked(name, *rest, **named):
    if name == module:
        builtins.__import__ = from_outside
        os.kill(os.getpid(), number)
    return from_outside(name, *rest, **named)
builtins.__import__ = asked
runpy.run_module("pagen", run_name="__main__")
"""


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Signals are heard by what is started, though these tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def started(cache: Path, size: tuple[str, ...], *words: str) -> subprocess.Popen[str]:
    """A command that has begun to make clips."""
    environment = {**os.environ, "PAGEN_CACHE": str(cache)}
    command = subprocess.Popen([*words, *PAGEN, *PREPARE, *size], env=environment, stderr=subprocess.PIPE, text=True)
    while command.poll() is None and not list(cache.rglob("clips/*.npy")):
        time.sleep(0.01)
    return command


def asked_while_importing(number: int, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command that is sent a signal when it first imports a module."""
    code = f"number, module = {int(number)}, {module!r}\n{ASKED_WHILE_IMPORTED}"
    return subprocess.run([sys.executable, "-P", "-c", code, *words], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("module", ["numpy._core", "numpy.linalg", "torch.nn", "pagen.models.networks"])
def test_a_request_while_libraries_are_imported_waits_for_them(module: str, tmp_path: Path) -> None:
    words = "train", "skip", "--scale", "tiny", "--dataset", "street", "--out", str(tmp_path / "run")
    ended = asked_while_importing(signal.SIGTERM, module, *words)
    assert (ended.returncode, ended.stdout) == (143, "")
    assert ended.stderr == "pagen: interrupted; what is done is kept, and the same command goes on from there\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_request_before_anything_is_begun_ends_it_silently(number: int) -> None:
    ended = asked_while_importing(number, "pagen.cli")
    assert (ended.returncode, ended.stdout + ended.stderr) == (-number, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_every_request_to_end_leaves_all_in_order(number: int, tmp_path: Path) -> None:
    command = started(tmp_path / "cache", LONG)
    command.send_signal(number)
    said = command.communicate(timeout=60)[1]
    assert command.returncode == 128 + number, said
    assert said == "pagen: interrupted; what is done is kept, and the same command goes on from there\n"
    assert not list(tmp_path.rglob(".tmp-*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_request_in_the_middle_of_an_import_ends_as_any_other(number: int) -> None:
    raised = f"exec('import signal; signal.raise_signal({int(number)})')"  # as dataclasses are made
    code = f"from pagen import cli; cli.dispatch = lambda asked: {raised}; cli.main(['score'])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (128 + number, "pagen: interrupted; the same command begins anew\n")


def test_what_runs_under_nohup_survives_its_terminal(tmp_path: Path) -> None:
    command = started(tmp_path / "cache", SHORT, "nohup")
    command.send_signal(signal.SIGHUP)
    said = command.communicate(timeout=120)[1]
    assert command.returncode == 0, said
    (whole,) = (tmp_path / "cache").iterdir()
    assert tree_hash(whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("threads", [0, 1], ids=["alone", "another thread"])
def test_a_request_while_workers_are_born_waits_and_is_not_lost(number: int, threads: int) -> None:
    ended, born = threading.Event(), list[int]()
    for _ in range(threads):  # it lets through what the first one blocks
        threading.Thread(target=ended.wait, args=(10,)).start()

    def birth() -> None:
        with answered(), deferred():
            os.kill(os.getpid(), number)
            time.sleep(0.05)
            born.append(number)

    with pytest.raises(KeyboardInterrupt):
        birth()
    ended.set()
    assert born == [number]


def test_what_a_terminal_sends_to_workers_is_left_to_their_parent() -> None:
    with deferred():
        worker = subprocess.Popen(["sleep", "60"])
    for number in (signal.SIGINT, signal.SIGHUP):
        worker.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(0.2)
    worker.terminate()
    assert worker.wait(10) == -signal.SIGTERM


def test_answers_are_put_back_and_what_is_ignored_stays_so() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt) as caught, answered():
        signal.raise_signal(signal.SIGTERM)
    assert (caught.value.args, signal.getsignal(signal.SIGTERM)) == ((signal.SIGTERM,), before)


@pytest.mark.parametrize("flag", [(), ("--overwrite",)])
@pytest.mark.parametrize("verb", VERBS)
def test_only_what_keeps_its_work_says_that_it_goes_on(
    verb: str, flag: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(asked: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "dispatch", interrupted)
    with pytest.raises(SystemExit):
        main([verb, *flag])
    afresh = verb in ("datasets", "inspect", "calibrate", "score", "export", "convert", "doctor") or flag
    words = (
        "the same command begins anew" if afresh else "what is done is kept, and the same command goes on from there"
    )
    assert capsys.readouterr().err == f"pagen: interrupted; {words}\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("words", ["--version", "prepair"])
def test_streams_that_are_closed_change_no_end(closed: str, words: str, tmp_path: Path) -> None:
    line = f"{' '.join(PAGEN)} {words} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == (2 if words == "prepair" else 0), done.stderr
    assert "Traceback" not in done.stderr
    if words == "--version" and ">&-" not in closed.replace("2>&-", ""):
        assert done.stdout.startswith("pagen ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("flag", [(), ("--json",)])
def test_letters_that_a_terminal_lacks_end_nothing(encoding: str, flag: tuple[str, ...], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-P", "-c", SPEAKING, *flag], env=environment, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\udcff" in done.stdout


@pytest.mark.parametrize("length", [10, 8191, 8192, 100_000])
@pytest.mark.parametrize("flag", [(), ("--json",)])
def test_a_reader_that_is_gone_ends_a_text_of_any_length(length: int, flag: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    script = SPEAKING.replace("\\udcff", f'" + {length} * "x" + "')
    with os.fdopen(write, "w") as stream:
        done = subprocess.run([sys.executable, "-P", "-c", script, *flag], stdout=stream, stderr=-1, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_messages_that_nobody_can_read_stop_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        console.say("nobody hears this")
        os.dup2(os.open(os.devnull, os.O_WRONLY), write)
