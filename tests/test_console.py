from __future__ import annotations

import io
import json
import math
import os
import pty
import sys

import numpy as np
import pytest

from pagen import console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_messages_go_to_stderr_and_results_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("wait")
    console.result({"b": 1, "a": math.nan}, False, "text")
    assert capsys.readouterr() == ("text\n", "wait\n")
    console.result({"b": 1, "a": math.nan}, True, "text")
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"a": None, "b": 1}
    assert printed.out.index('"a"') < printed.out.index('"b"')
    assert printed.err == ""


def test_json_has_no_nan_at_any_depth() -> None:
    value = {"a": [1.5, math.nan, (math.inf, {"b": -math.inf})], 3: np.float64("nan"), "ok": [True, None, "nan", 7]}
    text = console.as_json(value)
    assert json.loads(text) == {"a": [1.5, None, [None, {"b": None}]], "3": None, "ok": [True, None, "nan", 7]}
    assert "NaN" not in text
    assert "Infinity" not in text


def test_tables_are_aligned() -> None:
    assert console.table(["name", "n"], [["a", "1"], ["longer", "10"]]) == "name    n\na       1\nlonger  10"
    assert console.table(["name"], []) == "name"
    assert console.markdown(["name", "n"], [["a", "1"]]) == "| name | n |\n| --- | --- |\n| a | 1 |"


def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(console.progress(iter(range(3)), "decode", 3)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert list(console.progress(iter(range(3)), "decode", 3, "frames")) == [0, 1, 2]
    drawn = terminal.getvalue()
    assert "decode" in drawn
    assert "3/3 frames" in drawn
    assert drawn.isascii()
    assert "\x1b[3" not in drawn  # no colours


def test_a_terminal_that_tells_no_width_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()  # 0 columns, as under `docker exec -t`
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        assert list(console.progress(iter(range(3)), "decode", 3)) == [0, 1, 2]
        assert b"0/3 clips" in os.read(ours, 4096)
    os.close(ours)


def test_a_bar_with_a_delay_is_drawn_for_long_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for delay, drawn in ((60.0, False), (0.0, True)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        assert list(console.progress(iter(range(3)), "decode", 3, delay=delay)) == [0, 1, 2]
        assert bool(terminal.getvalue()) is drawn


def test_a_dumb_terminal_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    assert list(console.progress([1], "decode")) == [1]
    assert terminal.getvalue() == ""
