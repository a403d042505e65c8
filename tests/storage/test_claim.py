"""One training at a time in a folder, and whoever comes second is told who the first is."""

from __future__ import annotations

import errno
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

import rnn_magics
from rnn_magics.batching import BatchConfig, Batches
from rnn_magics.errors import RNNMagicsError, StorageError
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.storage import atomic
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.claim import Claim, Claimant, forget_dead
from rnn_magics.storage.loading import load_run
from rnn_magics.storage.resume import reopen, resume_run
from rnn_magics.storage.run_folder import kept_runs
from rnn_magics.storage.strict import dumps
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.events import Event, StepEnd, TrainEnd
from rnn_magics.training.job import Job
from rnn_magics.training.loop import begin, train

SCRIPT = Path(rnn_magics.__file__).parents[1] / "benchmarks" / "torture" / "folders.py"
MODEL, TRAIN = ModelConfig(num_hiddens=4), TrainConfig(epochs=2, threads=1)
IN_USE = r"^'[^\n]*' is in use by process {} \(this one\) on '[^\n]*', since 20[^\n]*$"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def is_free(folder: Path) -> bool:
    """Whether nobody has it, and nothing of a claim is left to be taken over."""
    if os.path.lexists(folder / "claim.json"):
        return False
    Claim(folder).release()
    return True


@pytest.mark.timeout(400)
def test_of_several_in_the_same_instant_one_has_it() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick"],
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") == 6


def test_the_second_is_told_who_is_the_first(batches: Batches, folder: Path) -> None:
    run, state = begin(batches, MODEL, TRAIN)
    keep = Checkpointing(str(folder))(run, state)
    before = content(folder)
    mine = IN_USE.format(os.getpid())
    with pytest.raises(StorageError, match=mine):
        train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)))
    with pytest.raises(StorageError, match=mine):
        Claim(folder)
    assert content(folder) == before
    keep(TrainEnd("stopped"))
    with pytest.raises(StorageError, match=r"holds run '\w+' already"):
        train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)))
    assert is_free(folder)


def test_going_on_claims_before_it_reads(batches: Batches, folder: Path) -> None:
    stopped(batches, folder)
    run, state, reopened = reopen(folder, batches)
    before = content(folder)
    with pytest.raises(StorageError, match=IN_USE.format(os.getpid())):
        resume_run(folder, batches)
    assert content(folder) == before
    reopened.go_on(run, state)(TrainEnd("stopped"))
    assert resume_run(folder, batches).reason == "epochs"
    assert is_free(folder)


def test_what_only_reads_needs_no_claim(batches: Batches, folder: Path) -> None:
    stopped(batches, folder)
    claim = Claim(folder)
    assert load_run(folder).reason == "snapshot"
    assert [kept.trouble for kept in kept_runs(folder)] == [""]
    claim.release()
    assert is_free(folder)


class StruckError(Exception):
    """Ends a training."""


def at_third(error: BaseException) -> Callable[[Event], None]:
    def strike(event: Event) -> None:
        if isinstance(event, StepEnd) and event.step == 3:
            raise error

    return strike


def stopped(batches: Batches, folder: Path) -> None:
    """Keep a run that goes no further than its third step."""
    watch = Checkpointing(str(folder), every="1step")
    with suppress(StruckError):
        train(batches, MODEL, TRAIN, watch=watch, listeners=[at_third(StruckError())])


def _whole(batches: Batches, folder: Path) -> None:
    train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)))


def _error(batches: Batches, folder: Path) -> None:
    struck = [at_third(StruckError())]
    train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)), listeners=struck)


def _interrupt(batches: Batches, folder: Path) -> None:
    struck = [at_third(KeyboardInterrupt())]
    train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)), listeners=struck)


def _error_in_going_on(batches: Batches, folder: Path) -> None:
    stopped(batches, folder)
    resume_run(folder, batches, listeners=[at_third(StruckError())])


def _other_minibatches(batches: Batches, folder: Path) -> None:
    stopped(batches, folder)
    resume_run(folder, Batches(batches.ids, BatchConfig(batch_size=3), vocab=batches.vocab))


def _ended_as_planned(batches: Batches, folder: Path) -> None:
    _whole(batches, folder)
    resume_run(folder, batches)


def _begun_twice(batches: Batches, folder: Path) -> None:
    _whole(batches, folder)
    _whole(batches, folder)


def _stopped_job(batches: Batches, folder: Path) -> None:
    run, state = begin(batches, MODEL, replace(TRAIN, epochs=10**6))
    job = Job(run, state, watch=Checkpointing(str(folder))(run, state))
    job.start()
    job.stop()
    job.wait()
    assert run.reason == "stopped"


def _failed_job(batches: Batches, folder: Path) -> None:
    run, state = begin(batches, MODEL, TRAIN)
    watch = Checkpointing(str(folder))(run, state)
    job = Job(run, state, at_once, watch)
    job.start()
    job.wait()
    assert run.reason == "failed"


def _disk_full(batches: Batches, folder: Path) -> None:
    def refuse(*_: Any) -> None:
        raise StruckError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnn_magics.storage.run_folder.atomic.append", refuse)
        train(batches, MODEL, TRAIN, watch=Checkpointing(str(folder)))


def _gone_on_with_on_a_full_disk(batches: Batches, folder: Path) -> None:
    stopped(batches, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnn_magics.storage.run_folder._remove", at_once)
        resume_run(folder, batches)


def at_once(*_: Any) -> None:
    raise StruckError


ENDS = [
    _whole,
    _error,
    _interrupt,
    _error_in_going_on,
    _other_minibatches,
    _ended_as_planned,
    _begun_twice,
    _stopped_job,
    _failed_job,
    _disk_full,
    _gone_on_with_on_a_full_disk,
]


@pytest.mark.parametrize("end", ENDS)
def test_however_it_ends_the_folder_is_free(
    batches: Batches, folder: Path, end: Callable[[Batches, Path], None]
) -> None:
    caught: BaseException | None = None
    try:
        end(batches, folder)
    except (StruckError, KeyboardInterrupt, RNNMagicsError) as error:
        caught = error  # kept: its traceback holds whatever the frames held
    assert is_free(folder), caught


def claimed_by(folder: Path, **changes: Any) -> None:
    words = asdict(replace(Claimant.here(), **changes))
    (folder / "claim.json").write_text(json.dumps(words, separators=(",", ":")))


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process, which waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def claimed_by_process(folder: Path, process: subprocess.Popen[bytes]) -> None:
    began = psutil.Process(process.pid).create_time()
    claimed_by(folder, process=process.pid, started=began)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no zombies")
def test_a_process_that_has_ended_has_no_claim_although_nobody_has_asked_how(
    folder: Path, other: subprocess.Popen[bytes]
) -> None:
    claimed_by_process(folder, other)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # it stays as a zombie
    assert psutil.Process(other.pid).status() == psutil.STATUS_ZOMBIE
    Claim(folder).release()


def test_a_process_that_is_about_to_end_is_waited_for(
    folder: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed_by_process(folder, other)
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:  # its lock has been free all the while
            other.kill()
            other.wait()

    monkeypatch.setattr("rnn_magics.storage.claim.time.sleep", sleep)
    Claim(folder).release()
    assert len(looks) == 3


def test_a_process_that_goes_on_keeps_its_claim(
    folder: Path, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed_by_process(folder, other)
    monkeypatch.setattr("rnn_magics.storage.claim.time.sleep", lambda _seconds: None)
    with pytest.raises(StorageError, match="it cannot be seen from here whether that is still"):
        Claim(folder)


@pytest.fixture
def gone() -> int:
    """The number of a process that is no more."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_dead_process_of_this_machine_has_nothing(folder: Path, gone: int) -> None:
    claimed_by(folder, process=gone)
    Claim(folder).release()
    claimed_by(folder, started=1.5)  # our number, given to another before
    Claim(folder).release()
    claimed_by(folder, boot="before", process=gone)
    Claim(folder).release()
    assert is_free(folder)


@pytest.mark.skipif(not Claimant.here().boot, reason="the system does not say which start it is")
def test_a_dead_container_of_this_machine_has_nothing(folder: Path, gone: int) -> None:
    claimed_by(folder, host="container-1", process=gone)
    assert is_free_after_a_claim(folder)


def is_free_after_a_claim(folder: Path) -> bool:
    Claim(folder).release()
    return is_free(folder)


def test_of_another_machine_nobody_knows(batches: Batches, folder: Path) -> None:
    stopped(batches, folder)
    claimed_by(folder, host="far\naway", boot="another", process=77)
    before = content(folder)
    told = (
        r"^'[^\n]*run' is claimed by process 77 on 'far\\naway', since 20[^\n]*, and it cannot be"
        r" seen from here whether that is still training; if it is not, delete '[^\n]*claim.json'$"
    )
    with pytest.raises(StorageError, match=told):
        resume_run(folder, batches)
    assert content(folder) == before
    (folder / "claim.json").unlink()
    assert resume_run(folder, batches).reason == "epochs"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _large(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 30)


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "not text": lambda path: path.write_bytes(b"\xff\x00"),
    "deep": lambda path: path.write_text("[" * 4000),
    "a list": lambda path: path.write_text("[1]"),
    "of other types": lambda path: path.write_text('{"host":1}'),
    "large": _large,
    "a pipe": _pipe,
    "a folder": lambda path: path.mkdir(),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a circle": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_claim_that_cannot_be_read_stands(folder: Path, what: str) -> None:
    UNREADABLE[what](folder / "claim.json")
    with pytest.raises(StorageError, match=r"claimed by an unknown process, and [^\n]*json'$"):
        Claim(folder)
    assert os.path.lexists(folder / "claim.json")


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, None])
def _without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        if request.param is None:
            raise NotImplementedError
        raise OSError(request.param, "no locks here")

    monkeypatch.setattr(FileLock, "acquire", refuse)


@pytest.mark.usefixtures("_without_locks")
def test_where_no_locks_are_the_claim_alone_holds(folder: Path, gone: int) -> None:
    claim = Claim(folder)
    with pytest.raises(
        StorageError, match=r"claimed by process \d+ \(this one\)[^\n]*claim.json'$"
    ):
        Claim(folder)
    claim.release()
    assert is_free(folder)
    claimed_by(folder, process=gone)  # two who come now could both take it over
    with pytest.raises(StorageError, match=rf"claimed by process {gone} on [^\n]*claim.json'$"):
        Claim(folder)


def test_where_locks_do_not_reach_the_living_are_seen(folder: Path) -> None:
    claimed_by(folder)
    with pytest.raises(StorageError, match=r"claimed by process \d+ \(this one\)"):
        Claim(folder)


def test_a_folder_that_cannot_be_written_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(StorageError, match=r"^cannot lock '[^\n]*run' for a training: Perm[^\n]*$"):
        Claim(folder)
    assert content(folder) == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_lets_nothing_go(folder: Path) -> None:
    claim = Claim(folder)
    child = os.fork()
    if not child:
        claim.release()
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(StorageError, match=IN_USE.format(os.getpid())):
        Claim(folder)
    claim.release()
    assert is_free(folder)


def test_a_child_that_outlives_us_has_nothing(folder: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path;"
        "from rnn_magics.storage.claim import Claim;"
        "claim = Claim(Path(sys.argv[1])); child = os.fork();"
        "print(child, flush=True) if child else time.sleep(600); os._exit(0)"
    )
    # Its end is waited for, not that of its output, which the child has open.
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            parent.wait()
            Claim(folder).release()
        finally:
            os.kill(child, 9)


def test_a_folder_that_moved_lets_only_its_own_claim_go(folder: Path) -> None:
    claim = Claim(folder)
    folder.rename(folder.with_name("moved"))
    folder.mkdir()
    other = Claim(folder)
    claim.release()
    with pytest.raises(StorageError, match="is in use by"):
        Claim(folder)
    other.release()
    assert is_free(folder)


def test_whoever_forgets_it_lets_it_go(folder: Path) -> None:
    Claim(folder)
    assert is_free(folder)


@pytest.fixture(params=[True, False], ids=["with links", "without"])
def _links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    if not request.param:
        monkeypatch.setattr(Path, "hardlink_to", refuse)


@pytest.mark.usefixtures("_links")
def test_a_file_is_created_by_one(tmp_path: Path) -> None:
    path = tmp_path / "it"
    assert atomic.create(path, b"first")
    assert not atomic.create(path, b"second")
    assert content(tmp_path) == {"it": b"first"}
    (tmp_path / "link").symlink_to("nowhere")
    assert not atomic.create(tmp_path / "link", b"third")
    assert {path.name for path in tmp_path.iterdir()} == {"it", "link"}
    with pytest.raises(StorageError, match=r"there is no such file or folder"):
        atomic.create(tmp_path / "nowhere" / "it", b"")


def test_nothing_of_a_claim_is_in_a_message_but_on_one_line(folder: Path) -> None:
    claimed_by(folder, host="a\u2028b\x1b[2J", boot="another")
    with pytest.raises(StorageError) as caught:
        Claim(folder)
    assert str(caught.value).isprintable()
    assert re.search(r"on 'a\\u2028b\\x1b\[2J'", str(caught.value))
    assert platform.node() not in str(caught.value).replace(str(folder), "")


def test_the_claim_of_a_process_that_is_known_to_have_ended_is_forgotten(tmp_path: Path) -> None:
    forget_dead(tmp_path)
    mine = Claim(tmp_path)
    forget_dead(tmp_path)  # that of a living process stays
    assert (tmp_path / "claim.json").exists()
    mine.release()
    gone = {**asdict(Claimant.here()), "host": "elsewhere", "boot": "another"}
    (tmp_path / "claim.json").write_text(dumps(gone), encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be seen from here"):
        Claim(tmp_path)
    forget_dead(tmp_path)
    Claim(tmp_path).release()
