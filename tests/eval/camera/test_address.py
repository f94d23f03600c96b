from __future__ import annotations

import base64
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.camera.address import HIDDEN, name_of, shown, url_of
from pagen.eval.camera.sources import open_footage
from pagen.eval.camera.streams import stream_frames


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("rtsp://user:secret@cam:554/a/b", "rtsp://***@cam:554/a/b"),
        ("rtsp://user:se@cr:et@cam/a", "rtsp://***@cam/a"),
        ("rtsp://user:se@cr/et@cam/a", "rtsp://***"),
        ("rtsp://user:se?cret@cam/a", "rtsp://***"),
        ("rtsp://user:se#cret@cam/a", "rtsp://***"),
        ("rtsp://user:12/secret@cam/a", "rtsp://***"),
        ("rtsp://user:secret%40cam/a", "rtsp://***"),
        ("rtsp://user:s%65cret%2F@cam/a", "rtsp://***@cam/a"),
        ("rtsp://secret@cam/a", "rtsp://***@cam/a"),
        ("rtsp://user:secret@[fe80::1%25eth0]:554/a", "rtsp://***@[fe80::1%25eth0]:554/a"),
        ("rtsp://[::1]/a", "rtsp://[::1]/a"),
        ("udp://@239.0.0.1:1234", "udp://@239.0.0.1:1234"),
        ("http://cam/video?user=u&pwd=secret", "http://cam/video?***"),
        ("http://cam/video?pwd=sec@ret", "http://***"),
        ("http://cam/video#secret", "http://cam/video#***"),
        ("rtsp://cam/user=u_password=secret_channel=1.sdp", "rtsp://cam/***"),
        ("rtsp://cam/user%3Du_password%3Dsecret", "rtsp://cam/***"),
        ("rtmp://cam/live/secret", "rtmp://cam/live/***"),
        ("rtsp:/user:secret@cam/a", "rtsp:/***@cam/a"),
        ("user:secret@cam", "***@cam"),
        ("rtsp://cam:554/a", "rtsp://cam:554/a"),
        ("films/a@2x.mp4", "films/a@2x.mp4"),
        ("C:/films/a.mp4", "C:/films/a.mp4"),
    ],
)
def test_nothing_that_may_be_a_password_is_shown(url: str, known: str) -> None:
    assert shown(url) == known


RAW = st.text("ab1:@/?#%&=;[] é~", min_size=1, max_size=12)


@given(RAW, RAW, st.sampled_from(["", ":554"]), st.booleans())
def test_no_part_of_a_login_is_shown_however_it_is_written(user: str, password: str, port: str, encoded: bool) -> None:
    """Between marks that stand in no other part: not a letter of what lies between them, raw or percent-encoded."""
    login = f"Q{user}Q:Q{password}Q"
    login = ":".join(quote(part, safe="") for part in login.split(":", 1)) if encoded else login
    known = shown(f"rtsp://{login}@cam{port}/ch1")
    assert "Q" not in known
    assert known in (f"rtsp://***@cam{port}/ch1", "rtsp://***")
    if encoded:
        assert known == f"rtsp://***@cam{port}/ch1"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://user:secret@cam/a",
        "rtsp://user:secret@[::1]/a",
        "rtsp://user%3Asecret@cam/a",
        "http://cam/a?channel=1&pwd=secret",
        "http://cam/a?auth_token=secret",
        "rtsp://cam/user=u_password=secret_channel=1.sdp",
        "srt://cam:9000?passphrase=secret",
    ],
)
def test_a_password_in_a_command_is_refused_and_the_advice_works(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PagenError, match="expected no password in a command") as refused:
        url_of(url)
    assert "secret" not in str(refused.value)
    assert all(advised in str(refused.value) for advised in ("file:PATH", "env:NAME"))
    (tmp_path / "gate.txt").write_text(f"\ufeff{url}\r\n", encoding="utf-8")
    monkeypatch.setenv("GATE", url)
    for source, name in ((f"file:{tmp_path / 'gate.txt'}", "gate"), ("env:GATE", "GATE")):
        assert url_of(source) == url
        assert name_of(source) == name
        assert open_footage(source).name == shown(url)


def test_a_login_is_given_to_ffmpeg_percent_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    logins = {"u:p@q:r": "u:p%40q%3Ar", "u:100%": "u:100%25", "u:a%2Fb": "u:a%2Fb", "u": "u", "u:": "u:"}
    for written, given_ in (logins | {"ü:ß s": "%C3%BC:%C3%9F%20s"}).items():
        monkeypatch.setenv("GATE", f"rtsp://{written}@cam/a")
        assert url_of("env:GATE") == f"rtsp://{given_}@cam/a"
    assert url_of("rtsp://user@cam/a") == "rtsp://user@cam/a"
    assert [url_of(source) for source in ("0", "a.mp4", "rtsp:/cam/a", "/a/b:c.avi")] == [None] * 4


def test_a_url_of_which_nobody_can_tell_the_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("rtsp://u:a/b@cam/x", "rtsp://u:a?b@cam/x", "rtsp://u:a#b@cam/x", "rtsp://u:x@cam/c d", "rtsp:///x"):
        monkeypatch.setenv("GATE", url)
        with pytest.raises(PagenError, match="expected a URL of which one can tell the host") as refused:
            url_of("env:GATE")
        assert not re.search(r"a.b", str(refused.value).partition("; write")[0].partition("found")[2])
    mended = "rtsp://u:a%2Fb@cam/x"  # as it advises
    assert "/ ? # % and spaces in its login, and @ after its host, as %40 %2F %3F" in str(refused.value)
    monkeypatch.setenv("GATE", mended)
    assert url_of("env:GATE") == mended


def test_what_holds_no_url_is_told_without_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two").write_text("rtsp://u:secret@a\nrtsp://u:secret@b\n")
    (tmp_path / "odd").write_bytes(b"secret\xff")
    (tmp_path / "word").write_text("secret")
    monkeypatch.delenv("GATE", raising=False)
    slips = {"env:GATE": "found none", f"file:{tmp_path}": "expected a file with the URL"}
    slips |= {f"file:{tmp_path / name}": what for name, what in (("two", "several lines"), ("word", "something else"))}
    slips |= {f"file:{tmp_path / 'odd'}": "found none", "file:///x": "found file; give a file by its path"}
    slips |= {"ftp://u:secret@a": "found ftp", "rtsp:/u:secret@cam": r"found nothing at rtsp:/\*\*\*@cam"}
    for source, told in slips.items():
        with pytest.raises(PagenError, match=told) as refused:
            open_footage(source)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["rtsp://rec/a?ch=1", "rtsp://u@rec/a", "rtsp://rec/ch=1", "http://rec/a#1"])
def test_a_camera_whose_url_is_not_shown_whole_needs_a_name(url: str) -> None:
    with pytest.raises(PagenError, match=r"expected --name with a URL that is not shown whole") as refused:
        name_of(url)
    assert url not in str(refused.value)
    assert [name_of(source) for source in ("rtsp://rec/a", "0", "a.mp4")] == ["rtsp://rec/a", None, None]


class Asking(socketserver.StreamRequestHandler):
    """Answers nobody who does not log in, and keeps who did."""

    def handle(self) -> None:
        while head := self._head():
            found = re.search(r"Authorization: Basic (\S+)", head)
            if found:
                self.server.seen.append(base64.b64decode(found[1]).decode())  # type: ignore[attr-defined]
            version, number = "RTSP/1.0" if "RTSP" in head else "HTTP/1.1", re.search(r"CSeq: (\d+)", head)
            status = "404 Not Found" if found else '401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"'
            lines = f"{version} {status}\r\n" + (f"CSeq: {number[1]}\r\n" if number else "")
            self.wfile.write(f"{lines}Content-Length: 0\r\n\r\n".encode())

    def _head(self) -> str:
        lines = list(iter(lambda: self.rfile.readline().decode().strip(), ""))
        return "\n".join(lines)


@contextmanager
def recorder() -> Iterator[tuple[str, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Asking) as server:
        server.daemon_threads = True
        server.seen = list[str]()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}", server.seen  # type: ignore[attr-defined]
        server.shutdown()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize("password", ["secret", "se@cr:et", "se%cret", "se%2Fcr%3Fe%23t%40", "se cret&=;+", "ßecret"])
def test_the_password_arrives_as_it_is_and_is_nowhere_told(
    scheme: str, password: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """By FFmpeg itself, at a server that asks for it and then has no such stream."""
    with recorder() as (host, seen):
        monkeypatch.setenv("GATE", f"{scheme}://user:{password}@{host}/a")
        url = url_of("env:GATE")
        assert url is not None
        with pytest.raises(PagenError) as told:
            next(stream_frames(url, 5))
    assert set(seen) == {f"user:{unquote(password)}"}
    printed = "".join(capfd.readouterr()) + str(told.value)
    assert f"{scheme}://{HIDDEN}@{host}/a, found none" in printed
    assert not any(part in printed for part in ("ecret", password, unquote(password), quote(password)))
