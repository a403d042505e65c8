"""A Ray to work on: one that is started here, or a cluster that is joined.

Ray belongs to the whole process. What the user has connected to stays as it is, and a Ray that was
started here is shared by all that need one at the same time; the last of them shuts it down.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from rnn_magics import __version__, files
from rnn_magics.cluster.machines import ask_each, machines
from rnn_magics.errors import ConfigError, TrainingError
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import say, say_number

AUTO = "auto"
_PACKAGE = Path(__file__).parents[2]
_MOST_SECONDS_TO_ANSWER = 3.0
_MOST_SECONDS_FOR_VERSIONS = 120.0
# The first words of HTTP/2, which gRPC speaks, and so does the head of a Ray cluster; then an empty
# list of settings. It answers with its own settings, and these are of the type 4.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS, _TYPE_PLACE = 4, 3
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # tells nobody that it runs
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True)
class Connection:
    """A Ray that this process is connected to.

    Parameters
    ----------
    ray
        The module, untyped as Ray itself is.
    address
        Where the head of the cluster listens, ``host:port``.
    is_local
        Whether it was started here, and so has only this machine.
    """

    ray: Any
    address: str
    is_local: bool

    @property
    def num_cpus(self) -> int:
        """How many CPUs the machines of the cluster offer together."""
        return int(self.ray.cluster_resources().get("CPU", 0))

    @property
    def num_gpus(self) -> int:
        """How many GPUs they offer."""
        return int(self.ray.cluster_resources().get("GPU", 0))


def ray_or(flag: str) -> Any:
    """Return Ray, an optional extra.

    Parameters
    ----------
    flag
        What needs it, e.g. ``--workers``.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    for name, value in _QUIET.items():  # read when it is imported, and by what it starts
        os.environ.setdefault(name, value)
    try:
        with whole_imports():
            import ray  # noqa: PLC0415  (an optional extra)
    except ImportError:
        raise ConfigError(
            say("{flag} needs Ray: pip install 'rnn_magics[cluster]'", flag=flag)
        ) from None
    return ray


@contextmanager
def connect(
    address: str | None = None, *, flag: str = "--cluster", cpus: int | None = None
) -> Iterator[Connection]:
    """Work on a Ray within this context.

    Parameters
    ----------
    address
        ``host:port`` of the head of a cluster, or ``auto`` for the cluster of this machine or of
        ``RAY_ADDRESS``; by default a Ray of this machine alone, started for this context.
    flag
        What needs it, for the message where Ray is not installed.
    cpus
        How many CPUs a Ray that is started here says it has; by default those of this machine.

    Raises
    ------
    ConfigError
        If Ray is not installed, the address has not this form, nobody answers there, or this
        process is connected to another cluster.
    TrainingError
        If Ray cannot be started, or Python, Ray, torch or rnn_magics are of other versions there.
    """
    ray = ray_or(flag)
    place = None if address is None else place_of(address)
    with _holders().held(ray, address, place, cpus) as (found, is_local):
        yield Connection(ray, found, is_local)


class _Holders:
    """Who works on the Ray that was started or joined here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._is_local = False

    @contextmanager
    def held(
        self, ray: Any, address: str | None, place: str | None, cpus: int | None
    ) -> Iterator[tuple[str, bool]]:
        with self._lock:
            if not ray.is_initialized():
                self._number = 0  # somebody else has shut it down meanwhile
                self._is_local = address is None
                _begin(ray, address, place, cpus)
                is_own = True
            else:
                _require_same(ray, place)
                is_own = self._number > 0  # else it is the user's
            self._number += is_own
            found = str(ray.get_runtime_context().gcs_address)
        try:
            yield found, is_own and self._is_local
        finally:
            with self._lock:
                self._number -= is_own
                if is_own and self._number == 0:
                    ray.shutdown()


@cache
def _holders() -> _Holders:
    return _Holders()


def _begin(ray: Any, address: str | None, place: str | None, cpus: int | None) -> None:
    silent = {"log_to_driver": False, "logging_level": logging.ERROR, "namespace": "rnn_magics"}
    try:
        with quiet("ray"):  # it tells of its tokens before its level is set
            if address is None:
                ray.init(
                    address="local",
                    include_dashboard=False,
                    num_cpus=cpus or cores(),
                    runtime_env={"env_vars": _environment()},
                    **silent,
                )
            else:
                ray.init(address=place or AUTO, **silent)
                require_versions(ray)
    except BaseException as error:
        ray.shutdown()
        if isinstance(error, ConnectionError) and address is not None:
            raise _nobody(address) from None
        if isinstance(error, TrainingError) or not isinstance(error, Exception):
            raise
        what = say("Ray cannot be started") if address is None else say("cannot join the cluster")
        why = " ".join(f"{error}".split())
        raise TrainingError(say("{what}: {why}", what=what, why=why)) from None


def _environment() -> dict[str, str]:
    # What is imported here is imported there, whether it is installed or not.
    paths = [str(_PACKAGE), os.environ.get("PYTHONPATH", "")]
    return {**_QUIET, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _require_same(ray: Any, place: str | None) -> None:
    there = str(ray.get_runtime_context().gcs_address)
    if place is not None and place != there:
        raise ConfigError(
            say(
                "this process is connected to the Ray at {there} already: leave --cluster out, or"
                " call ray.shutdown() first",
                there=there,
            )
        )


def place_of(address: str) -> str | None:
    """Return the ``host:port`` of an address, after somebody has answered there.

    Ray itself would wait for minutes.

    Parameters
    ----------
    address
        As for `connect`.

    Returns
    -------
    str or None
        None where Ray has to search for a cluster of this machine.

    Raises
    ------
    ConfigError
        If it has another form, or nobody answers.
    """
    if address == AUTO:
        place = os.environ.get("RAY_ADDRESS") or _last_started()
        if place is None or ":" not in place or "://" in place:
            return None
    else:
        place = address
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16 or "/" in host:
        raise ConfigError(
            say(
                "a cluster is auto or the host:port of its head, e.g. 10.0.0.5:6379, not {address}",
                address=repr(address),
            )
        )
    if not _answers(host.strip("[]"), int(port)):
        raise _nobody(address)
    return place


def _last_started() -> str | None:
    # Where `ray start` notes the cluster of this machine.
    noted = Path(os.environ.get("RAY_TMPDIR") or _ray_temp(), "ray", "ray_current_cluster")
    try:
        return files.read_bytes(noted).decode().strip() or None
    except (OSError, ValueError):
        return None


def _ray_temp() -> str:
    return "/tmp" if sys.platform != "win32" else tempfile.gettempdir()  # noqa: S108  (Ray's own)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), _MOST_SECONDS_TO_ANSWER) as there:
            if os.environ.get("RAY_USE_TLS", "0").lower() in {"1", "true"}:
                return True  # it would answer in cipher
            there.sendall(_GREETING)
            head = b""
            while len(head) <= _TYPE_PLACE:
                part = there.recv(9)
                if not part:
                    return False
                head += part
            return head[_TYPE_PLACE] == _SETTINGS
    except OSError:
        return False


def _nobody(address: str) -> ConfigError:
    if address == AUTO:
        return ConfigError(
            say(
                "no Ray cluster is running here: start one (ray start --head), or give its"
                " host:port, or leave --cluster out"
            )
        )
    return ConfigError(
        say(
            "no Ray cluster answers at {address}: is its head running (ray start --head), and can"
            " this machine reach it?",
            address=address,
        )
    )


def versions_here() -> dict[str, str]:
    """Return the versions that must be the same on all machines."""
    return {
        "Python": ".".join(map(str, sys.version_info[:3])),
        "ray": metadata.version("ray"),
        "torch": metadata.version("torch").partition("+")[0],
        "rnn_magics": __version__,
    }


def require_versions(ray: Any, here: dict[str, str] | None = None) -> None:
    """Check that each machine has the versions of this process.

    Parameters
    ----------
    ray
        The connected module.
    here
        The versions to compare with; by default `versions_here`.

    Raises
    ------
    TrainingError
        Naming the first machine with another version, or without one of the packages.
    """
    here = here or versions_here()
    there_are = machines(ray)
    try:
        answers = ask_each(ray, there_are, _question(), seconds=_MOST_SECONDS_FOR_VERSIONS)
    except ray.exceptions.GetTimeoutError:
        raise TrainingError(
            say_number(
                len(there_are),
                "the cluster has {number} machine, and it does not answer",
                "the cluster has {number} machines, and not all of them answer",
            )
        ) from None
    for machine, there in answers:
        for name, version in here.items():
            if there.get(name, "") != version:
                raise TrainingError(
                    say(
                        "machine {host} has {name} {there}, and this process {here}: install the"
                        " same version on both",
                        host=machine["NodeManagerAddress"],
                        name=name,
                        there=there.get(name) or say("not installed"),
                        here=version,
                    )
                )


def _question() -> Callable[[], dict[str, str]]:
    # A function in a function travels as it is, so the other machine needs no rnn_magics for it.
    def versions() -> dict[str, str]:
        import contextlib  # noqa: PLC0415
        import sys  # noqa: PLC0415
        from importlib import import_module, metadata  # noqa: PLC0415

        found = {"Python": ".".join(map(str, sys.version_info[:3]))}
        for name in ("ray", "torch"):
            try:
                found[name] = metadata.version(name).partition("+")[0]
            except metadata.PackageNotFoundError:
                continue
        with contextlib.suppress(ImportError):
            found["rnn_magics"] = import_module("rnn_magics").__version__
        return found

    return versions


@contextmanager
def quiet(name: str, level: int = logging.ERROR) -> Iterator[None]:
    """Keep what a logger of Ray says below a level out of the notebook."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
