from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from rnn_magics.cluster import connection
from rnn_magics.cluster.connection import (
    Connection,
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


def test_a_ray_is_started_and_shared(ray_here: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ray_here.is_local
    assert ray_here.num_cpus == 3
    with connect() as inner:  # not another one
        assert inner.address == ray_here.address
    with connect(ray_here.address) as same:
        assert same.address == ray_here.address
    assert ray_here.ray.is_initialized()
    monkeypatch.setattr(connection, "_answers", lambda _host, _port: True)
    with pytest.raises(ConfigError, match="connected to the Ray at"), connect("127.0.0.1:1"):
        pass


def test_versions_that_differ_are_one_line(ray_here: Connection) -> None:
    require_versions(ray_here.ray)
    with pytest.raises(TrainingError, match=r"has rnn_magics \S+, and this process 0\.0\.1"):
        require_versions(ray_here.ray, {**versions_here(), "rnn_magics": "0.0.1"})


class Pretended:
    """A Ray that only notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: Exception | None = None
        self.gcs_address = "10.0.0.1:6379"

    def is_initialized(self) -> bool:
        return self.asked.count("init") > self.asked.count("shutdown")

    def init(self, **_settings: object) -> None:
        if self.fails is not None:
            raise self.fails
        self.asked.append("init")

    def shutdown(self) -> None:
        self.asked.append("shutdown")

    def get_runtime_context(self) -> Pretended:
        return self


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    found = Pretended()
    holders = connection._Holders()
    monkeypatch.setattr(connection, "ray_or", lambda _flag: found)
    monkeypatch.setattr(connection, "_holders", lambda: holders)
    monkeypatch.setattr(connection, "require_versions", lambda _ray: None)
    monkeypatch.setattr(connection, "_answers", lambda _host, _port: True)
    return found


def test_the_last_who_needs_it_shuts_it_down(pretended: Pretended) -> None:
    first, second = connect(), connect()
    with first as one:
        second.__enter__()
        assert one.is_local
    assert pretended.asked == ["init"]  # the second needs it still
    second.__exit__(None, None, None)
    assert pretended.asked == ["init", "shutdown"]
    with connect(pretended.gcs_address) as joined:
        assert not joined.is_local
    assert pretended.asked == ["init", "shutdown"] * 2


def test_the_ray_of_the_user_stays(pretended: Pretended) -> None:
    pretended.init()
    with connect() as theirs:
        assert not theirs.is_local
    assert pretended.asked == ["init"]


@pytest.mark.parametrize(
    ("address", "error", "said"),
    [
        (None, RuntimeError("no\nspace"), "Ray cannot be started: no space"),
        ("a:1", RuntimeError("Version mismatch: x"), "cannot join the cluster: Version mismatch"),
        ("a:1", ConnectionError("?"), "no Ray cluster answers at a:1"),
        ("auto", ConnectionError("?"), "no Ray cluster is running here"),
    ],
)
def test_what_ray_says_becomes_one_line(
    pretended: Pretended, address: str | None, error: Exception, said: str
) -> None:
    pretended.fails = error
    with pytest.raises((ConfigError, TrainingError), match=f"^{said}"), connect(address):
        pass
    assert not pretended.is_initialized()
    pretended.fails = None
    pretended.asked.clear()
    with connect():  # and the next may try again
        assert pretended.is_initialized()


def test_who_connects_to_a_ray_that_is_started_here_needs_its_token(ray_here: Connection) -> None:
    ask = (
        "import sys; from ray._raylet import GcsClient\n"
        "print(GcsClient(sys.argv[1]).internal_kv_keys(b'', timeout=20) is not None)"
    )
    command = [sys.executable, "-c", ask, ray_here.address]

    def answer(**extra: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **extra}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    assert answer().stdout.split() == ["True"]
    for stranger in (answer(RAY_AUTH_MODE="disabled"), answer(RAY_AUTH_TOKEN="guessed")):
        assert stranger.returncode != 0
        assert "nauthenticated" in stranger.stderr
