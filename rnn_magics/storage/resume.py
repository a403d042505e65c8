"""Going on with a training where its last checkpoint stands, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from rnn_magics.batching import Batches
from rnn_magics.errors import DeviceError, StorageError
from rnn_magics.names import check_name
from rnn_magics.storage import atomic
from rnn_magics.storage.checkpointing import Checkpointing
from rnn_magics.storage.model_file import naming
from rnn_magics.storage.run_folder import RunFolder, kept_runs
from rnn_magics.storage.strict import read_options
from rnn_magics.storage.training_state import check_same, fingerprint_of, restore
from rnn_magics.training.events import Event
from rnn_magics.training.history import History
from rnn_magics.training.loop import begin, train_to_end
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

LAST = "last"
_AS_PLANNED = ("epochs", "max_time", "max_tokens")


def reopen(folder: str | Path, batches: Batches) -> tuple[Run, TrainState, Checkpointing]:
    """Make what `iter_train` needs to go on with a run.

    Parameters
    ----------
    folder
        Of the run, or ``last``: the one written to last in the present folder or one or two
        levels below it.
    batches
        The same minibatches as before.

    Returns
    -------
    run : Run
        With the history of the epochs that are finished.
    state : TrainState
        Where the training stands.
    checkpointing : Checkpointing
        As before; ``checkpointing.go_on(run, state)`` keeps the run further.

    Raises
    ------
    StorageError
        When there is no such run, it has ended as planned, its checkpoints cannot be read, or
        the minibatches are others.
    """
    kept = _folder(folder)
    before, training = kept.newest()
    check_name(
        before.name,
        f"the run in {str(kept.path)!r}",
        StorageError,
        "it cannot go on, but %load_rnn takes it under another: --name NAME",
    )
    if before.reason in _AS_PLANNED:
        msg = (
            f"run {before.name!r} has ended as planned ({before.reason}) after"
            f" {len(before.history)} epochs; %load_rnn {kept.path} takes it up as it is"
        )
        raise StorageError(msg)
    check_same(before, training, batches, fingerprint_of(batches))
    run, state = _begun(before, batches)
    with naming(kept.path):
        restore(state, training)
        options = read_options(Checkpointing, kept.checkpointing())
    epochs = before.history.to_dict().items()  # an epoch cut short will be told when it is whole
    run.history = History(**{name: values[: state.epoch] for name, values in epochs})  # type: ignore[arg-type]
    run.curve, run.steered, run.ladder = before.curve, before.steered, before.ladder
    run.steps, run.tokens = before.steps, before.tokens
    run.message = before.message if before.reason == "snapshot" else ""
    return run, state, replace(options, folder=str(kept.path))


def _folder(folder: str | Path) -> RunFolder:
    if str(folder) == LAST:
        runs = kept_runs()
        if not runs:
            msg = "no run is kept in this folder or below it: type %train_rnn --checkpoint DIR"
            raise StorageError(msg)
        return RunFolder(runs[-1].folder)
    return RunFolder(atomic.user_path(folder)).require()


def _begun(before: Run, batches: Batches) -> tuple[Run, TrainState]:
    # On the same device, and the same number of threads, whatever would be chosen today.
    on_cpu = before.device.device.type == "cpu"
    threads = before.threads.number if on_cpu else None
    config = replace(before.config.train, device=str(before.device.device), threads=threads)
    try:
        run, state = begin(batches, before.model, config, before.name)
    except DeviceError as error:
        msg = f"run {before.name!r} was training on {before.device}: {error}"
        raise StorageError(msg) from None
    run.config, run.device, run.threads = before.config, before.device, before.threads
    return run, state


def resume_run(
    folder: str | Path, batches: Batches, *, listeners: Iterable[Callable[[Event], None]] = ()
) -> Run:
    """Go on with a run where its last checkpoint stands, to its end.

    On the machine where it began, the weights at its end are those of a run that was never
    interrupted, bit for bit, unless a limit of time decided something.

    Parameters
    ----------
    folder
        Of the run, which ``train(..., watch=Checkpointing(folder))`` made; or ``last``.
    batches
        The same minibatches as before.
    listeners
        Called with every event.

    Returns
    -------
    Run
        One run, its history from the first epoch on.

    Raises
    ------
    StorageError
        When there is no such run, it has ended as planned, its checkpoints cannot be read, or
        the minibatches are others.
    """
    run, state, checkpointing = reopen(folder, batches)
    return train_to_end(run, state, [checkpointing.go_on(run, state), *listeners])
