"""Resuming a training from its last checkpoint, bit for bit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rnn_magics.batching import Batches
from rnn_magics.errors import BatchError, ConfigError, CorpusError, DeviceError, StorageError
from rnn_magics.language import say, say_number
from rnn_magics.names import check_name
from rnn_magics.storage import atomic
from rnn_magics.storage.checkpointing import Checkpointing, Reopened
from rnn_magics.storage.claim import released_on_error
from rnn_magics.storage.contents.training_state import check_same, fingerprint_of, restore
from rnn_magics.storage.model_file import naming
from rnn_magics.storage.run_folder import KeptRun, RunFolder, kept_runs
from rnn_magics.storage.strict import read_options
from rnn_magics.text.corpus import Corpus
from rnn_magics.training.endings import Ending, state_in_words
from rnn_magics.training.further.train_further import batches_for
from rnn_magics.training.history import History
from rnn_magics.training.loop import Drive, Listener, begin, train_to_end
from rnn_magics.training.run import Run
from rnn_magics.training.state import TrainState

LAST = "last"
_MOST_NAMED = 3


def reopen(folder: str | Path, corpus: Corpus | Batches) -> tuple[Run, TrainState, Reopened]:
    """Prepare what `iter_train` needs to resume a run, and claim its folder.

    Parameters
    ----------
    folder
        The folder of the run; or ``last`` for the run that was written to last, in the working
        folder or up to two levels below it.
    corpus
        The same text as before, which is read and cut as the run has read and cut it; or the same
        minibatches.

    Returns
    -------
    run : Run
        The run, with the history of the complete epochs.
    state : TrainState
        The state of the training at the checkpoint.
    reopened : Reopened
        ``reopened.go_on(run, state)`` continues to keep the run, as before.

    Raises
    ------
    StorageError
        When there is no such run, its folder is in use by another training, it has ended as
        planned, its checkpoints cannot be read, its optimizer has been removed, or the text or the
        minibatches differ.
    TrainingError
        When a run of bare indices is given a text.
    """
    kept = last_run()[0] if str(folder) == LAST else _named(folder)
    with released_on_error(kept.claim()) as claim:  # first, so that nothing changes while it reads
        run, state, options = _read(kept, corpus)
        return run, state, Reopened(replace(options, folder=str(kept.path)), claim)


def _read(kept: RunFolder, corpus: Corpus | Batches) -> tuple[Run, TrainState, Checkpointing]:
    before, training = kept.newest()
    check_name(
        before.name,
        say("the run in {folder!r}", folder=str(kept.path)),
        StorageError,
        say("it cannot continue, but you can load it: %load_rnn FOLDER --name NAME"),
    )
    if before.reason is not None and before.reason.as_planned:
        raise StorageError(
            say_number(
                len(before.history),
                "run {name!r} has ended as planned ({reason}) after {epochs} epoch; load it with"
                " %load_rnn {folder}",
                "run {name!r} has ended as planned ({reason}) after {epochs} epochs; load it with"
                " %load_rnn {folder}",
                name=before.name,
                reason=state_in_words(before.reason),
                epochs=len(before.history),
                folder=kept.path,
            )
        )
    try:
        before.config.train.check()
    except ConfigError as error:
        raise StorageError(
            say(
                "run {name!r} can be loaded, but not trained further: {error}",
                name=before.name,
                error=error,
            )
        ) from None
    batches = _minibatches(before, corpus) if isinstance(corpus, Corpus) else corpus
    check_same(before, training, batches, fingerprint_of(batches))
    run, state = _begun(before, batches)
    with naming(kept.path):
        restore(state, training)
        options = read_options(Checkpointing, kept.checkpointing())
    epochs = before.history.to_dict().items()  # complete epochs only
    run.history = History(**{name: values[: state.epoch] for name, values in epochs})  # type: ignore[arg-type]
    run.curve, run.steered, run.ladder = before.curve, before.steered, before.ladder
    run.between, run.earlier = before.between, before.earlier
    run.steps, run.tokens = state.total_steps, state.total_tokens
    run.predicted = before.predicted
    run.message = before.message if before.reason == Ending.SNAPSHOT else ""
    return run, state, options


def _minibatches(run: Run, corpus: Corpus) -> Batches:
    try:
        return batches_for(run, corpus)
    except (BatchError, CorpusError) as error:
        raise StorageError(
            say(
                "run {name!r} was not trained on {corpus!r}: {error}",
                name=run.name,
                corpus=corpus.name,
                error=error,
            )
        ) from None


def _named(folder: str | Path) -> RunFolder:
    return RunFolder(atomic.user_path(folder)).require()


def keep_on(run: Run, state: TrainState) -> tuple[Reopened | None, str]:
    """Prepare to keep a run that has gone on while nobody kept it, and claim its folder.

    Parameters
    ----------
    run, state
        The run, with the folder that kept it, and its state, as they are now.

    Returns
    -------
    reopened : Reopened or None
        ``reopened.go_on(run, state)`` continues to keep the run; None where it cannot be kept.
    note : str
        Why not.

    Raises
    ------
    StorageError
        When the folder is in use by another training, or cannot be read.
    """
    folder = RunFolder(atomic.user_path(run.folder or ""))
    told = {"name": run.name, "folder": str(folder.path)}
    if not folder.exists or folder.summary().name != run.name:
        return None, say("run {name!r} is kept no more: {folder!r} is not its folder", **told)
    with released_on_error(folder.claim()) as claim:
        log = folder.lines()
        if next(iter(folder.steps)) > run.steps or (log and "end" in log[-1]):
            claim.release()
            text = say("run {name!r} is kept no more: it was resumed from {folder!r}", **told)
            return None, text
        if run.reason is not None and state.step:  # its curve is beyond the last epoch
            claim.release()
            text = say("run {name!r} has ended; its last weights are not in {folder!r}", **told)
            return None, text
        with naming(folder.path):
            options = read_options(Checkpointing, folder.checkpointing())
        return Reopened(replace(options, folder=run.folder or ""), claim), ""


def last_run() -> tuple[RunFolder, str]:
    """Return the folder of the run written to last, and a note on the runs that were skipped.

    Raises
    ------
    StorageError
        When there is no such run, or it cannot be read.
    """
    runs = kept_runs()
    skipped = [kept for kept in runs if kept.trouble]
    if len(runs) == len(skipped):
        msg = say(
            "no run is kept in this folder or below it; keep one with %train_rnn --checkpoint DIR"
        )
        raise StorageError(say("; ").join([msg, *_words(skipped)]))
    if runs[-1].trouble:
        last, why = str(runs[-1].folder), runs[-1].trouble
        raise StorageError(
            say(
                "the run written to last, {last!r}, cannot be read: {why}; choose one: --resume"
                " DIR",
                last=last,
                why=why,
            )
        )
    folder = runs[-1].folder
    takes = say("--resume {last} takes {folder!r}", last=LAST, folder=str(folder))
    said = say("; ").join([takes, *_words(skipped)])
    return RunFolder(folder), said if skipped else ""


def _words(skipped: list[KeptRun]) -> list[str]:
    named = [
        say("{folder!r} is skipped: {why}", folder=str(kept.folder), why=kept.trouble)
        for kept in skipped[:_MOST_NAMED]
    ]
    more = len(skipped) - len(named)
    return [*named, say("and {more} more, which %rnn runs lists", more=more)] if more else named


def _begun(before: Run, batches: Batches) -> tuple[Run, TrainState]:
    # On the same device and number of threads as before, even if others would be chosen now; but a
    # number that followed the machine goes on to do so.
    on_cpu, asked = before.device.device.type == "cpu", before.config.train.threads
    follows = asked is None and before.model.engine == "compiled"
    threads = before.threads.number if on_cpu and before.threads and not follows else None
    config = replace(before.config.train, device=str(before.device.device), threads=threads)
    try:
        run, state = begin(batches, before.model, config, before.name)
    except DeviceError as error:
        raise StorageError(
            say(
                "run {name!r} was training on {device}: {error}",
                name=before.name,
                device=before.device,
                error=error,
            )
        ) from None
    run.config, run.device = before.config, before.device
    run.threads = run.threads if follows else before.threads
    return run, state


def resume_run(
    folder: str | Path,
    corpus: Corpus | Batches,
    *,
    listeners: Iterable[Listener] = (),
    drive: Drive | None = None,
) -> Run:
    """Resume a run from its last checkpoint, and train it to its end.

    On the same machine, the final weights equal those of a run that was never interrupted, bit for
    bit, unless a time limit had an effect.

    Parameters
    ----------
    folder
        The folder of the run, which ``train(..., watch=Checkpointing(folder))`` created; or
        ``last``.
    corpus
        The same text as before, which is read and cut as the run has read and cut it: in its way,
        with its vocabulary, into its windows; or the same minibatches.
    listeners
        Called with every event.
    drive
        As for `train`.

    Returns
    -------
    Run
        The whole run, its history from the first epoch on.

    Raises
    ------
    StorageError
        When there is no such run, its folder is in use by another training, it has ended as
        planned, its checkpoints cannot be read, or the text or the minibatches differ.
    TrainingError
        When a run of bare indices is given a text.
    """
    run, state, reopened = reopen(folder, corpus)
    (drive or train_to_end)(run, state, [reopened.go_on(run, state), *listeners])
    return run
