"""A sound file made unsound, in the ways in which files break: cut, flipped, joined, edited, saved otherwise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
ODD = (
    b"NaN", b"nan", b"Infinity", b"1e999", b"-1", b"0", b"3.0", b"1.5", b"99999999999999999999", b"9" * 400, b"1_0",
    b"", b"null", b"true", b"[]", b"{}", b'"3"', "\u0663".encode(), b"7696581394432", b"-0.0", b"1e-400",
)  # fmt: skip
"""What stands in place of a number."""
TYPES = (b"<i8", b"<c8"), (b"|u1", b"|O1"), (b"<f8", b"<M8"), (b"|u1", b"|V1"), (b"<f4", b"<U4")
"""A type of numbers, and one that takes as much room."""


def mangled(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """The content after one to four changes; `other` is a sound file of another kind."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        content = draw.choice(WAYS)(content, other, draw)[: 1 << 20]
    return content


def _cut(content: bytes, other: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _flip(content: bytes, other: bytes, draw: random.Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(draw.choice((1, 2, 8)) if content else 0):
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
    return bytes(flipped)


def _overwrite(content: bytes, other: bytes, draw: random.Random) -> bytes:
    place, fill = draw.randrange(len(content) + 1), draw.choice((b"\0", b"\xff", b"\x80", draw.randbytes(1)))
    length = draw.choice((1, 2, 4, 8, 64))
    return content[:place] + fill * length + content[place + length :]


def _remove(content: bytes, other: bytes, draw: random.Random) -> bytes:
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:]


def _repeat(content: bytes, other: bytes, draw: random.Random) -> bytes:
    first, last = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:last] * draw.choice((1, 1, 3, 40)) + content[last:]


def _insert(content: bytes, other: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content) + 1)
    return (
        content[:place]
        + draw.choice((*ODD, b'"', b",", b"\n", b"\r", b"[" * 2000, draw.randbytes(9)))
        + content[place:]
    )


def _number(content: bytes, other: bytes, draw: random.Random) -> bytes:
    found = list(NUMBER.finditer(content))
    if not found:
        return content
    match = draw.choice(found)
    return content[: match.start()] + draw.choice(ODD) + content[match.end() :]


def _digits(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """Other digits of the same number of characters, so that what stands behind stays in its place."""
    found = list(re.finditer(rb"[ \d]*\d", content))
    if not found:
        return content
    match = draw.choice(found)
    return content[: match.start()] + draw.choice(b"0192").to_bytes() * len(match[0]) + content[match.end() :]


def _letters(content: bytes, other: bytes, draw: random.Random) -> bytes:
    """Another type in the header of an array."""
    return content.replace(
        *draw.choice(((b"<i8", b"<c8"), (b"|u1", b"|O1"), (b"<f8", b"<M8"), (b"|u1", b"|V1"), (b"<f4", b"<U4")))
    )


def _encoding(content: bytes, other: bytes, draw: random.Random) -> bytes:
    text = content.decode("latin-1")
    return draw.choice(
        (text.encode("utf-16"), text.encode("utf-32"), text.encode("utf-8-sig"), text.encode("utf-16-be"))
    )


def _other(content: bytes, other: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(content) + 1)
    return draw.choice((other, content[:place] + other, other + content[place:], content + other))


WAYS: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    _cut, _flip, _flip, _overwrite, _remove, _repeat, _insert, _number, _number, _digits, _letters, _encoding, _other,
)  # fmt: skip
