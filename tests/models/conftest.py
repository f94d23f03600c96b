"""Networks of tests are so small that threads cost more than they bring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pagen.spread import one_thread


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield
