from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from rnn_magics.cluster.connection import (
    connect,
    ray_or,
    require_versions,
    versions_here,
)
from rnn_magics.errors import ConfigError, TrainingError


@pytest.fixture
def silent() -> Iterator[str]:
    """A place where somebody listens who never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def rude() -> Iterator[str]:
    """A place where somebody answers who is no Ray."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            there, _ = server.accept()
            there.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            there.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_without_ray_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"^--workers needs Ray: pip install 'rnn_magics\[clus"):
        ray_or("--workers")


@pytest.mark.parametrize("address", ["", "host", "host:", ":1", "ray://h:1", "h:0", "h:70000"])
def test_an_address_is_auto_or_host_and_port(address: str) -> None:
    with pytest.raises(ConfigError, match="host:port"), connect(address):
        pass


@pytest.mark.parametrize("kind", ["silent", "rude"])
def test_where_no_ray_answers_one_line_says_so(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnn_magics.cluster.connection._MOST_SECONDS_TO_ANSWER", 0.5)
    address = request.getfixturevalue(kind)
    with pytest.raises(ConfigError, match=f"no Ray cluster answers at {address}"), connect(address):
        pass


def test_where_nobody_listens_one_line_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ConfigError, match="no Ray cluster answers"), connect(free):
        pass


def test_a_ray_is_started_shared_joined_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(cpus=2) as outer:
        ray: Any = outer.ray
        assert outer.is_local
        assert outer.num_cpus == 2
        with connect() as inner:  # not another one
            assert inner.address == outer.address
        assert ray.is_initialized()
        monkeypatch.setattr("rnn_magics.cluster.connection._answers", lambda _host, _port: True)
        with pytest.raises(ConfigError, match="connected to the Ray at"), connect("127.0.0.1:1"):
            pass
        with connect(outer.address) as same:
            assert same.address == outer.address

        require_versions(ray)
        with pytest.raises(TrainingError, match=r"has rnn_magics \S+, and this process 0\.0\.1"):
            require_versions(ray, {**versions_here(), "rnn_magics": "0.0.1"})
    assert not ray.is_initialized()

    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)  # a user's
    with connect() as theirs:
        assert not theirs.is_local
    assert ray.is_initialized()
    ray.shutdown()
