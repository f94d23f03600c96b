from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.seeds import entropy, generator, torch_generator

PART = st.one_of(
    st.integers(-(2**40), 2**40), st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=8)
)
KEY = st.tuples(st.integers(0, 2**32), st.lists(PART, max_size=4).map(tuple))


@settings(max_examples=200, deadline=None)
@given(KEY, KEY)
def test_entropy_tells_keys_apart(
    one: tuple[int, tuple[str | int, ...]], other: tuple[int, tuple[str | int, ...]]
) -> None:
    assert (entropy(one[0], *one[1]) == entropy(other[0], *other[1])) == (one == other)


def test_neighbours_differ() -> None:
    keys = [(0,), (1,), (0, "a"), (0, "a", 1), (0, "a1"), (0, "a", "1"), (0, 1, "a"), (0, "a", 11), (0, "a1", 1)]
    assert len({entropy(*key) for key in keys}) == len(keys)
    firsts = {generator(0, "skip", "train_01", index).integers(2**63) for index in range(1000)}
    assert len(firsts) == 1000


def test_numbers_and_strings_of_numpy_count_as_plain_ones() -> None:
    assert entropy(3, "skip", np.int64(7)) == entropy(np.int32(3), np.str_("skip"), 7)


@pytest.mark.slow
def test_the_same_key_draws_the_same_in_another_process() -> None:
    drawn = generator(5, "patch", "test_02", 9).random(3).tolist()
    code = "from pagen.seeds import generator; print(generator(5, 'patch', 'test_02', 9).random(3).tolist())"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed == f"{drawn}\n"


def test_entropy_is_the_hash_that_is_documented() -> None:
    text = "\x1f".join(["7", "str:skip", "int:3"])
    assert entropy(7, "skip", 3).to_bytes(16, "little") == hashlib.blake2b(text.encode(), digest_size=16).digest()
    bits = np.random.PCG64(entropy(7, "skip", 3))
    np.testing.assert_array_equal(generator(7, "skip", 3).random(4), np.random.Generator(bits).random(4))


def test_torch_draws_from_the_key_too() -> None:
    state = torch.get_rng_state()
    one, again, other = (torch.randn(4, generator=torch_generator(0, "noise", index)) for index in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)
