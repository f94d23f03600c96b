"""What a verb advises can be typed: every flag that a message names is one of the verb that prints it.

Or the message says of which verb it is (`pagen train ... --flag`, "train with --flag", "transfer: --flag"). Which verbs
may print a message is read off the source (`call_graph`), more of them rather than fewer; `NEVER` says why some do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO

import pytest
from call_graph import Text, graph, reached
from hypothesis import given
from hypothesis import strategies as st

from pagen.cli import VERBS, dispatch
from pagen.convert import FORMS
from pagen.methods import METHODS
from pagen.registry import resolve

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
NAMED = re.compile(rf"pagen ({'|'.join(VERBS)})\b")
"""A verb that is named as it is typed: all flags of the text may be its own."""
BESIDE = re.compile(
    r"\b(train|prepare|generate|calibrate|evaluate)\b(?:(?!\b(?:take|give|leave)\b)[^;:()])*$|\b(\w+): $"
)
"""A verb in words right before a flag."""
OTHERS = re.compile(r"'(?!pagen)[a-z]+ [^']*'")
"""A command of another program, in quotation marks."""
WORDS = {"train": METHODS, "convert": FORMS}


def verbs() -> list[str]:
    """All verbs; of `train` and `convert` one for each of their first words."""
    return [f"{verb} {word}".strip() for verb in VERBS for word in WORDS.get(verb, ("",))]


@cache
def flags_of(verb: str) -> frozenset[str]:
    """The flags that a verb takes; of a verb with several forms those of all."""
    name, *word = verb.split()
    if name in WORDS and not word:
        return frozenset().union(*(flags_of(f"{name} {each}") for each in WORDS[name]))
    shown = StringIO()
    with redirect_stdout(shown), pytest.raises(SystemExit):
        dispatch([name, *word, "--help"])
    return frozenset(re.findall(r"^[│ ] (?:-h, )?(--[a-z][a-z0-9-]*)", shown.getvalue(), re.MULTILINE))


def checks_of(reference: str) -> set[str]:
    """What looks at the flags of a configuration when it is made. Those that others make are sound."""
    bases = getattr(resolve(reference), "__mro__", ())
    return {f"{base.__module__}:{base.__qualname__}.__post_init__" for base in bases}


def said_by(verb: str) -> Iterator[Text]:
    """The texts that a verb may print and that hold a flag; words that commands are built of stand alone."""
    name, *word = verb.split()
    reference = VERBS[name][0]
    module = reference.partition(":")[0]
    parts = {method.recipe for method in METHODS.values()} | set(ASKED.get(verb, ()))
    parts |= {f"{module}:{form.__name__}" for form in FORMS.values()} if name == "convert" else set()
    own = METHODS[word[0]].recipe if name == "train" else f"{module}:{FORMS[word[0]].__name__}" if word else reference
    parts |= {node for node in graph() if node.endswith(".__post_init__")} - checks_of(own) - checks_of(reference)
    for node in reached([reference, f"{module}:run", f"{module}:parse", own], parts - {own}):
        yield from (text for text in graph()[node].texts if FLAG.search(text.text) and " " in text.text)


def strange(text: str, verb: str) -> list[str]:
    """The flags that a text names, and that neither the verb has nor one that the text names with them."""
    own = OTHERS.sub("", text)
    named = {verb, *NAMED.findall(own)}
    lacking = []
    for match in FLAG.finditer(own):
        beside = BESIDE.search(FLAG.sub("flag", own[: match.start()]))
        others = {name for name in (beside.groups() if beside else ()) if name in VERBS}
        told_apart = f"{verb}: --" in own and not others
        if not told_apart and not any(match[0] in flags_of(name) for name in named | others):
            lacking.append(match[0])
    return lacking


ASKED = {
    "ablate": ("pagen.train.session:train", "pagen.train.session:begin_with", "pagen.generate.generate:generate"),
    "demo": (
        "pagen.footage.prepare_dataset:run",
        "pagen.generate.generate:run",
        "pagen.train.train:run",
        "pagen.eval.evaluate:run",
    ),
}
"""What a verb leaves to others, whose commands it names (`errors.asked_by`)."""
CAMERA, RUNS = "calibrate|score", "evaluate|transfer|report|figure"
FRAMES = "train (baseline|memae|patch|skip|steal|spatial|temporal|discriminator|unified|luss)"
NEVER = (
    ("pagen.device", "export", "it asks for the CPU"),
    ("pagen.device", "inspect|prepare", "they fill by processes, and on no device"),
    ("pagen.eval.camera.sources", "score", "the rate is the one that was calibrated"),
    ("pagen.eval.(choose|fusion|localise)", "ablate|report|figure", "they choose nothing and localise nothing"),
    ("pagen.eval.tables", "ablate|report|transfer", "without a data set there are files alone, of `evaluate`"),
    ("pagen.eval.transfer.feeding", "transfer", "the words follow 'train with'"),
    ("pagen.features.spec", f"{RUNS}|{CAMERA}|{FRAMES}", "no run without its poses was trained"),
    ("pagen.footage.check|pagen.footage.locate|pagen.spread.*", CAMERA, "a camera is no data set"),
    ("pagen.footage.prepare", f"ablate|{RUNS}|export|train unified|{CAMERA}", "a run has a size, and a sound one"),
    ("pagen.manifest", "evaluate|inspect|transfer", "what they make lies in the cache, or in a run"),
    ("pagen.models.state_dict", "(?!convert).*", "the file of a package has its weights in one place"),
    ("pagen.spread", "inspect", "it looks at what lies there"),
    ("pagen.spread_ray", ".*", "on Ray is who gave --engine and --address"),
    ("pagen.engine", ".*", "an address is of who gave --address"),
    ("pagen.train.accelerator", "train (accivad|gcl|knn|gmm|unified)", "without --precision it is that of all devices"),
    ("pagen.train.density_session", FRAMES, "it trains densities"),
    ("pagen.train.normal_clips", "train temporal", "of strides it says something where there are some"),
    ("pagen.train.stored", "train .*", "it looks whether the recipe has the flag"),
)
"""Where a text lies, verbs that seem to lead there, and why they do not say it."""


def test_which_flags_are_strange() -> None:
    assert strange("expected a --size, found none", "evaluate") == ["--size"]
    assert strange("expected a --size, found none; give --seed 1", "generate") == []
    assert strange("train it again, or take --weights uniform", "report") == ["--weights"]
    assert strange("it is 3; train or prepare with a --size or --sides", "evaluate") == ["--sides"]
    assert strange("made by `pagen generate --length 3`", "train unified") == []
    for verb in ("evaluate", "transfer"):
        assert strange("say by --root DIR (transfer: --roots DIR)", verb) == []
    assert strange("start one with 'ray start --head'", "evaluate") == []
    assert strange("lower --crop", "train knn") == ["--crop"]


@given(st.sampled_from(verbs()), st.sampled_from(verbs()), st.data())
def test_a_flag_is_strange_where_the_verb_has_it_not(verb: str, other: str, data: st.DataObject) -> None:
    flag = data.draw(st.sampled_from(sorted(name for name in flags_of(other) if name.startswith("--"))))
    assert strange(f"expected {flag}, found none; give it", verb) == ([] if flag in flags_of(verb) else [flag])
    assert strange(f"found none; run `pagen {other} ... {flag}`", verb) == []


def never(text: Text, verb: str) -> bool:
    return any(re.fullmatch(where, text.module) and re.fullmatch(who, verb) for where, who, _ in NEVER)


def test_messages_are_found_where_they_lie() -> None:
    """One of each: in a function, in a method, behind a table of names, in a verb's configuration."""
    for verb, words in {
        "score": "expected --keep above 0",
        "evaluate": "expected pixel masks for --localise",
        "train gcl": "expected --weak-share from 0 to 1",
        "convert ae": "of axes, found; --like tells",
        "features": "give --poses file:PATH",
    }.items():
        texts = [text.text.replace("{} ", "").replace(" {}", "") for text in said_by(verb)]
        assert any(words in text for text in texts), (verb, words)
    assert not any("--weak-share" in text.text for text in said_by("train skip"))


@pytest.mark.parametrize("verb", verbs())
def test_a_verb_advises_what_it_has(verb: str) -> None:
    found = {text for text in said_by(verb) if strange(text.text, verb) and not never(text, verb)}
    lines = [f"{text.module}:{text.line} {strange(text.text, verb)} in {text.text!r}" for text in found]
    assert not lines, "\n".join([f"pagen {verb} may print:", *sorted(lines)])


def test_every_exception_is_needed() -> None:
    for where, who, why in NEVER:
        verbs_ = [verb for verb in verbs() if re.fullmatch(who, verb)]
        texts = [(text, verb) for verb in verbs_ for text in said_by(verb) if re.fullmatch(where, text.module)]
        assert any(strange(text.text, verb) for text, verb in texts), why
