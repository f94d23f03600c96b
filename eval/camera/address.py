"""URLs of cameras: where they are read, and the one place that knows how a source is shown.

A password that stands in a command is seen by everybody who lists processes. So it is not taken from there: `env:NAME`
names an environment variable that holds the URL, `file:PATH` a file. What is shown of a URL is its scheme, its host and
its path; login, query, fragment and parts of the path that look like parameters are not, nor is any of it where one
cannot tell a login from what follows.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from pagen.errors import PagenError

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp", "tcp", "srt", "rtp")
HIDDEN = "***"
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]+:/{1,2})(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_HOST = re.compile(r"([\w.-]*|\[[0-9a-f:.%\w-]+\])(:[0-9]*)?", re.IGNORECASE)
_STRAY = re.compile(r"%(?![0-9a-f]{2})", re.IGNORECASE)
_SECRET = re.compile(r"pass|pwd|psw|pw$|token|secret|key|auth|sig|cred|login", re.IGNORECASE)
"""What a parameter is called that holds a password."""


def shown(source: str) -> str:
    """What may be shown of a source, whatever it is and however it is written; a path is shown whole.

    Example:
        >>> shown("rtsp://user:secret@cam:554/a"), shown("http://cam/a?pwd=secret"), shown("videos/a.mp4")
        ('rtsp://***@cam:554/a', 'http://cam/a?***', 'videos/a.mp4')
    """
    url = _URL.fullmatch(source)
    if not url:
        login, at, host = source.rpartition("@")
        return f"{HIDDEN}@{host}" if at and ":" in login else source
    login, at, host = url["authority"].rpartition("@")
    if "@" in url["path"] + url["rest"] or not _HOST.fullmatch(host):
        return url["scheme"] + HIDDEN
    parts = url["path"].split("/")
    path = "/".join(HIDDEN if _hides(part) else part for part in parts)
    if url["scheme"].lower().startswith("rtmp") and len(parts) > 1:  # which end in the key of the stream
        path = f"{'/'.join(path.split('/')[:-1])}/{HIDDEN}"
    rest = url["rest"][:1] + HIDDEN if url["rest"] else ""
    return f"{url['scheme']}{HIDDEN if login else ''}{at}{host}{path}{rest}"


def url_of(source: str) -> str | None:
    """The URL that a source names, as FFmpeg takes it: its login percent-encoded; None where it names none.

    Raises PagenError: a scheme that is not of `SCHEMES`, a password in a command, a URL of which one cannot tell where
    its login ends, or nothing where `env:` or `file:` lead.
    """
    text = _stored(source)
    if text is None and "://" not in source:
        return None
    url = _URL.fullmatch(text or source)
    found = shown(text or source)
    if not url or url["scheme"].rstrip(":/").lower() not in SCHEMES or "://" not in url["scheme"]:
        found = found.partition(":")[0]
        raise PagenError(f"expected a URL of {' '.join(SCHEMES)}, found {found}; give a file by its path")
    login, at, host = url["authority"].rpartition("@")
    if found.endswith("://" + HIDDEN) or not host or re.search(r"\s", host + url["path"] + url["rest"]):
        how = "write @ / ? # % and spaces in its login, and @ after its host, as %40 %2F %3F %23 %25 %20"
        raise PagenError(f"expected a URL of which one can tell the host, found {found}; {how}")
    if text is None and _has_password(login, url["path"] + url["rest"]):
        how = "keep the URL in a file and give file:PATH, or in an environment variable and give env:NAME"
        raise PagenError(f"expected no password in a command, which all see who list processes, found {found}; {how}")
    login = ":".join(quote(_STRAY.sub("%25", part), safe="%") for part in login.split(":", 1))
    return f"{url['scheme']}{login}{at}{host}{url['path']}{url['rest']}"


def name_of(source: str) -> str | None:
    """What a camera is called by its URL; None for other sources, which have names.

    Raises PagenError as `url_of`, and for a URL that is not shown whole: another camera's may look alike.
    """
    if url_of(source) is None:
        return None
    kind, _, where = source.partition(":")
    if _stored(source) is not None:
        return where if kind == "env" else Path(where).stem
    if shown(source) != source:
        what = "a URL that is not shown whole, as another camera's may look alike"
        raise PagenError(f"expected --name with {what}, found none for {shown(source)}; give one, such as --name gate")
    return source


def _stored(source: str) -> str | None:
    """What the environment variable or the file holds that a source names; None where it names none."""
    kind, _, where = source.partition(":")
    if kind == "env":
        text, place = os.environ.get(where, "").strip(), f"the environment variable {where}"
    elif kind == "file" and not where.startswith("//"):
        text, place = _text(Path(where)), where
    else:
        return None
    if "://" not in text or len(text.split("\n")) > 1:
        raise PagenError(f"expected the URL of a camera, and nothing else, in {place}, found {_kind(text)}; mend it")
    return text


def _text(path: Path) -> str:
    if not path.is_file():
        raise PagenError(f"expected a file with the URL of a camera, found none at {path}; is the path right?")
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except ValueError:
        return ""


def _kind(text: str) -> str:
    return "several lines" if "\n" in text else "something else" if text else "none"


def _hides(part: str) -> bool:
    """Whether a part of a path looks like parameters, or like a login."""
    return bool(set("=:;&") & set(unquote(part)))


def _has_password(login: str, rest: str) -> bool:
    """Whether there is a password, as far as names tell, in a login or in parameters."""
    names = re.findall(r"([\w.-]+)=", unquote(rest))
    return bool(unquote(login).partition(":")[2]) or any(_SECRET.search(name) for name in names)
