"""One Ray for the tests of a module, since it takes long to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rnn_magics.cluster.connection import Connection, connect


@pytest.fixture(scope="module")  # tests elsewhere have a cluster of their own
def ray_here() -> Iterator[Connection]:
    """A Ray of this machine with room for three workers."""
    with connect(cpus=3) as connection:
        yield connection
