"""JSON and TOML that are held against the dataclass, or another type, that they are to become: names, types, ranges.

pydantic checks, strictly: no string is taken for a number, and no number is NaN or infinite. A refusal names the
field, what stands there, and the file. What a range alone cannot say is the `__post_init__` of the type.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pagen.errors import PagenError, unknown_name
from pagen.texts import read_text

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

T = TypeVar("T")
_WANTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a finite number",
    "finite_number": "a finite number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "dataclass_type": "an object",
    "multiple_of": "a whole number",
    "missing": "a value",
}
"""Kind of a fault -> what pagen's messages call what was wanted; of other kinds pydantic says it."""
_TYPES = ("bool", "int", "float", "str", "list")
"""What pydantic calls the types among which a value may be."""
_FOUND: dict[type, str] = {list: "a list", dict: "an object"}


def read_json(path: Path, form: type[T], what: str, advice: str = "mend it") -> T:
    """The content of a JSON file as a value of a type: a dataclass, or what its annotations could hold.

    Raises PagenError: no such file, no JSON, a name twice in one object, or content of another form.

    Args:
        what: what stands in it, in the words of an error message.
        advice: what to do about a fault.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.json")
        ...     _ = path.write_text('{"a": [1, NaN]}')
        ...     try:
        ...         read_json(path, dict[str, list[float]], "figures")
        ...     except PagenError as error:
        ...         print(str(error).replace(folder, "FOLDER"))
        expected a finite number for a[1] in FOLDER/a.json, found nan; mend it
    """
    text = _read(path, what, advice)
    try:
        json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise PagenError(f"expected {what} as JSON in {path}, found {_line(error)}; {advice}") from error
    return _checked(text, form, what, path, advice, strictly=True)


def read_toml(path: Path, form: type[T], what: str, advice: str = "mend it") -> T:
    """The content of a TOML file as a value of a type, as `read_json`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.toml")
        ...     _ = path.write_text("[shop]\\nfps = 15")
        ...     read_toml(path, dict[str, dict[str, float]], "rates")
        {'shop': {'fps': 15.0}}
    """
    try:
        content = tomllib.loads(_read(path, what, advice))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PagenError(f"expected {what} as TOML in {path}, found {_line(error)}; {advice}") from error
    return _checked(json.dumps(content, default=repr), form, what, path, advice, strictly=True)


def require_form(value: Any, form: type[Any], what: str, source: object, advice: str = "mend it") -> None:
    """Raise PagenError where plain data is not of a form; what the form does not name may stand beside it.

    Example:
        >>> from dataclasses import make_dataclass
        >>> require_form({"fps": "25"}, make_dataclass("About", [("fps", float)]), "clips", "manifest.json")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected a finite number for fps in manifest.json, found '25'; mend it
    """
    _checked(json.dumps(value), form, what, source, advice, strictly=False)


def _read(path: Path, what: str, advice: str) -> str:
    try:
        return read_text(path, what)
    except PagenError as error:
        raise PagenError(f"{error}; {advice}") from error


def _checked(text: str, form: type[T], what: str, source: object, advice: str, strictly: bool) -> T:
    from pydantic import ValidationError  # a tenth of a second, which commands without documents are spared

    try:
        plain: Any = form  # of which mypy does not know that it can be hashed
        checked: tuple[T] = _adapter(plain, strictly).validate_json(f"[{text}]")
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False), form, what, source, advice) from error
    return checked[0]


@cache
def _adapter(form: Any, strictly: bool) -> TypeAdapter[tuple[Any]]:
    """What checks a form; in a tuple, since a dataclass that stands alone is checked by its own configuration."""
    from pydantic import ConfigDict, TypeAdapter

    config = ConfigDict(strict=True, allow_inf_nan=False, extra="forbid" if strictly else "ignore")
    return TypeAdapter(tuple[form], config=config)


def _refusal(faults: Sequence[ErrorDetails], form: Any, what: str, source: object, advice: str) -> PagenError:
    """The error for the first fault; where a value may be of several types, there is one fault of each."""
    fault = faults[0]
    if not fault["loc"]:  # so deep that it was given up
        return PagenError(f"expected {what} in {source}, found what is nested too deep; {advice}")
    alike = [
        other
        for other in faults
        if other["loc"][:-1] == fault["loc"][:-1] and str(other["loc"][-1]).partition("[")[0] in _TYPES
    ]
    _, *place = fault["loc"][:-1] if len(alike) > 1 else fault["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        fields = getattr(form, "__dataclass_fields__", ()) if len(place) == 1 else ()
        if fields:
            return unknown_name(f"field of {what} ({source})", where, fields)
        return PagenError(f"expected nothing called {where:.80} in {source}, found it; {advice}")
    wanted = " or ".join(dict.fromkeys(map(_wanted, alike if len(alike) > 1 else [fault])))
    named = f"{wanted} for {where:.80}" if where else f"{what} as {wanted}"
    found = "none" if fault["type"] == "missing" else _shown(fault["input"])
    return PagenError(f"expected {named} in {source}, found {found}; {advice}")


def _wanted(fault: ErrorDetails) -> str:
    said = fault["msg"].removeprefix("Input should be ")
    return _WANTED.get(fault["type"]) or (f"a number {said}" if said.startswith(("greater", "less")) else said)


def _shown(value: Any) -> str:
    """A value in a few words, however much it holds."""
    return _FOUND.get(type(value)) or f"{value!r:.60}"


def _once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """An object of JSON. Raises ValueError where it has a name twice."""
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise ValueError(f"{twice!r} twice in one object")
    return values


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
