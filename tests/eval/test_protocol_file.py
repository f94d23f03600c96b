from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.eval.protocol import Protocol, apply
from pagen.eval.protocol_file import INDICATORS_IN, read_protocol
from pagen.eval.protocols import CAUSAL, PROTOCOLS, protocols_named
from pagen.scoring.indicator_table import TABLE, require_indicator
from pagen.train.recipes.plain import BaselineRecipe
from pagen.train.recipes.table import RECIPES


def test_a_file_holds_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({"policy": "mean", "smooth": "causal", "sigma": {"*": 3}, "fused": {"luss": ["vcr", "prp"]}})
    )
    mine, causal = protocols_named([str(path), "causal"])
    assert (mine.name, mine.policy, mine.sigma_on("ped2"), mine.looks_ahead) == ("mine", "mean", 3, True)
    assert causal is CAUSAL
    assert [one.name for one in protocols_named(["all"])] == PROTOCOLS.names()
    kept, _ = apply(mine, {"psnr": {"a": np.arange(30.0)}}, {"a": np.zeros(30, int)})
    assert len(kept["a"]) == 30


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected a protocol as JSON in "),
        ("[1]", "expected a protocol as an object in .*, found a list"),
        ('{"polisy": "mean"}', "did you mean 'policy'"),
        ('{"policy": "men"}', "did you mean 'mean'"),
        ('{"each_of": {"prp": "robst"}}', "did you mean 'robust'"),
        ('{"every": true}', "expected a whole number for every"),
        ('{"every": 0}', "every of 1 and more"),
        ('{"smooth": "causal"}', "expected widths from 0.01 to 10,000 frames"),
        ('{"sigma": 3}', "expected an object for sigma"),
        ('{"weights": 3}', "expected an object for weights in .*, found 3"),
        ('{"weights": {"ped2": 3}}', "expected an object for weights.ped2 in .*, found 3"),
        ('{"weights": {"ped2": {"vcr": "much"}}}', "expected a finite number for weights.ped2.vcr in .*, found 'much'"),
        ('{"weights": {"ped2": {"vcr": true}}}', "expected a finite number for weights.ped2.vcr in .*, found True"),
        ('{"weights": {"ped2": {"vcr": -1}}}', "expected weights and factors from 0 to 1,000,000"),
        ('{"weights": {"ped2": {"vcr": 1e999}}}', "expected a finite number for weights.ped2.vcr in .*, found inf"),
        ('{"weights": {"ped2": {"vcr": 1%s}}}' % ("0" * 400), "expected a finite number for weights.ped2.vcr"),
        ('{"factors": {"vcr": NaN}}', "expected a finite number for factors.vcr in .*, found nan"),
        ('{"factors": [1]}', "expected an object for factors in .*, found a list"),
        ('{"factors": {"vcr": 1e300}}', "expected weights and factors from 0 to 1,000,000"),
        ('{"sigma": {"*": "x"}}', r"expected a finite number for sigma.\* in .*, found 'x'"),
        ('{"smooth": "causal", "sigma": {"*": 1e9}}', "expected widths from 0.01 to 10,000 frames"),
        ('{"smooth": "gaussian", "sigma": {"*": 3, "ped2": -3}}', "expected widths from 0.01 to 10,000 frames"),
        ('{"smooth": "gaussian", "sigma": {"ped2": 3}}', "expected widths from 0.01 to 10,000 frames"),
        ('{"fused": {"luss": "vcr"}}', "expected a list for fused.luss in .*, found 'vcr'"),
        ('{"fused": {"luss": ["vcr", 3]}}', r"expected a string for fused.luss\[1\] in .*, found 3"),
        ('{"fused": {"luss": ["vcr", "vcr"]}}', "expected each indicator once"),
        ('{"each_of": {"prp": ["robust"]}}', "expected a string for each_of.prp in .*, found a list"),
        ('{"each_of": ["prp"]}', "expected an object for each_of"),
        ('{"each": null}', "expected a string for each in .*, found None"),
        ('{"total": "calibrated"}', "no total of protocol mine named 'calibrated'; .*known: min_max none robust"),
        ('{"measure": "psnr"}', "no measure of protocol mine named 'psnr'"),
        ('{"name": ' + '{"a":' * 60 + "1" + "}" * 61, "expected a string for name in .*, found an object"),
        ("[" * 100_000 + "]" * 100_000, "expected a protocol as JSON in "),
        ('{"weights": {"a": ' + '{"a":' * 500 + "1" + "}" * 502, "found what is nested too deep"),
        ('{"dropped_first": 1.5}', "expected a whole number for dropped_first in .*, found 1.5"),
        ('{"smooth": "gaussian", "sigma": {"*": 1e-300}}', "expected widths from 0.01 to 10,000 frames"),
        ('{"smooth": "causal", "sigma": {"*": 1e-300}}', "expected widths from 0.01 to 10,000 frames"),
        ('{"policy": "mean", "policy": "last"}', "found 'policy' twice in one object"),
        ('{"sigma": {"*": 1, "*": 2}}', r"found '\*' twice in one object"),
        ('{"name": ""}', "expected name and why in .* to be of one line each"),
        ('{"why": "a\\nb"}', "expected name and why in .* to be of one line each"),
        ('{"name": "causal"}', 'expected a name of its own for the protocol in .*, found causal; give it a "name"'),
        ('{"fused": {"lus": ["vcr"]}}', "no recipe of fused in .*mine.json named 'lus'; did you mean 'luss'"),
        ('{"weights": {"pde2": {"vcr": 1}}}', "weights of .*mine.json: no data set named 'pde2'; did you mean 'ped2'"),
        ('{"sigma": {"*": 3, "avenu": 2}}', "sigma of .*mine.json: no data set named 'avenu'; did you mean 'avenue'"),
        ('{"sigma": {"*": 3, "ped2:mixt": 2}}', "did you mean 'ped2:mixed'"),
        ('{"dropped_last": -1}', "expected dropped_first and dropped_last of 0 and more"),
    ],
)
def test_what_is_no_protocol_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "mine.json").write_text(content)
    with pytest.raises(PagenError, match=words) as problem:
        protocols_named([str(tmp_path / "mine.json")])
    assert len(str(problem.value).splitlines()) == 1
    assert len(str(problem.value)) < 500


@pytest.mark.parametrize(
    ("field", "form"),
    [
        ("factors", '{"NAME": 2}'),
        ("each_of", '{"psnr": "none", "NAME": "robust"}'),
        ("fused", '{"luss": ["vcr", "NAME"]}'),
        ("weights", '{"ped2": {"prp": 1}, "*": {"NAME": 1}}'),
    ],
)
def test_a_name_of_no_indicator_is_refused(tmp_path: Path, field: str, form: str) -> None:
    file = tmp_path / "mine.json"
    for name, part, nearest in (
        ("vrc", "vrc", "vcr"),
        ("psrn_local", "psrn", "psnr"),
        ("deep+velocty", "velocty", "velocity"),
        ("fused", "fused", "flow_speed"),
        ("", "", ""),
    ):
        file.write_text(f'{{"{field}": {form.replace("NAME", name)}}}')
        hint = f" did you mean {nearest!r}?" if nearest else ""
        with pytest.raises(PagenError) as problem:
            protocols_named([str(file)])
        assert str(problem.value).startswith(f"no indicator of {field} in {file} named {part!r};{hint} known: ")
        assert len(str(problem.value).splitlines()) == 1
    for name in {*TABLE, "vcr_local", "velocity+pose+deep"} - {"fused", "psnr", "vcr", "prp"}:
        file.write_text(f'{{"{field}": {form.replace("NAME", name)}}}')
        assert protocols_named([str(file)])[0].name == "mine"


def test_every_field_that_names_indicators_has_them_looked_up() -> None:
    published = [PROTOCOLS[name] for name in PROTOCOLS.names()]
    for protocol in published:
        for field, names_in in INDICATORS_IN.items():
            for name in names_in(getattr(protocol, field)):
                require_indicator("indicator", name)
    assert {one.name for one in fields(Protocol) if "Mapping" in str(one.type)} - {"sigma"} == set(INDICATORS_IN)


@pytest.mark.parametrize(
    "dropped", ['{"dropped_first": 40}', '{"dropped_last": 99}', '{"dropped_first": %s}' % ("9" * 30)]
)
def test_a_protocol_that_leaves_no_frame_is_told(tmp_path: Path, dropped: str) -> None:
    (tmp_path / "mine.json").write_text(dropped)
    (own,) = protocols_named([str(tmp_path / "mine.json")])
    with pytest.raises(PagenError, match=r"expected frames that count under protocol mine, found none; drop fewer"):
        apply(own, {"psnr": {"a": np.zeros(40)}}, {"a": np.ones(40)})


def test_a_mark_at_the_start_of_a_file_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{}", encoding="utf-8-sig")
    assert protocols_named([str(tmp_path / "mine.json")])[0].name == "mine"


def test_names_of_ones_own_and_of_others_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.json"
    sigma = {"*": 3, "shop": 2, "ped2:mixed": 2, "ped1+ped2": 2}
    path.write_text(json.dumps({"smooth": "causal", "sigma": sigma, "fused": {"ours": ["vcr"]}}))
    monkeypatch.setitem(RECIPES._table, "ours", BaselineRecipe)
    with pytest.raises(PagenError, match=r"sigma of .*: no data set named 'shop'.*; one's own are named in .*\.toml"):
        read_protocol(path)
    file = tmp_path / "datasets.toml"
    file.write_text('[shop]\nroot = "."\n')
    monkeypatch.setenv("PAGEN_DATASETS", str(file))
    assert read_protocol(path).sigma_on("shop") == 2
