"""How many threads the compiled functions are tested with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def numbers_of_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """One thread and two, one after the other."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)
