"""One Ray for all tests that need one, since it takes long to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnn_magics.cluster.connection import Connection, connect


@pytest.fixture(scope="session")
def ray_here() -> Iterator[Connection]:
    """A Ray of this machine with room for three workers."""
    with connect(cpus=3) as connection:
        yield connection
