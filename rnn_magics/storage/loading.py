"""Loading a run from a model file or from the folder of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rnn_magics.errors import StorageError
from rnn_magics.language import marked, say
from rnn_magics.names import check_name
from rnn_magics.storage import atomic
from rnn_magics.storage.contents.scores import take_best
from rnn_magics.storage.contents.training_state import complete_curve
from rnn_magics.storage.model_file import read_run
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.training.run import Run


def load_run(
    path: str | Path, *, name: str | None = None, epoch: int | Literal["best"] | None = None
) -> Run:
    """Read a run from a file that `save_run` wrote, or from the folder of a run.

    Nothing in a file is used before its sha256 has been checked, no code in it is ever run, and no
    size in it is trusted before it has been compared with the size of the file.

    Parameters
    ----------
    path
        The file, or the folder that a `Checkpointing` keeps; ``~`` is the home folder.
    name
        The name of the run in listings; by default its old name.
    epoch
        For a folder, load the run as it was after this epoch, one of ``checkpoint_epochs(path)``;
        or ``best`` for the weights with the lowest held-out score. By default, the run as it was
        last: a run that was to keep its best weights and has ended has these.

    Returns
    -------
    Run
        The run, on the CPU, ready to generate, to be scored and to be inspected.

    Raises
    ------
    StorageError
        When the file cannot be read, is damaged, or is not a model file; when the folder does not
        hold a run, or does not keep the epoch or the best weights; when the run has an unusable
        name.
    ConfigError
        When `name` is not a usable name.

    Examples
    --------
    >>> path = save_run(run, "kept.safetensors")
    >>> load_run(path).valid_perplexity == run.valid_perplexity
    True
    """
    check_name(name or "", say("the run"))
    typed, path = str(path), atomic.user_path(path)
    if epoch == "best":
        run = _best(RunFolder(path).require())
    elif epoch is not None:
        run, _ = read_run(_of_epoch(path, epoch))
    elif path.is_dir():
        run, training = RunFolder(path).require().newest()
        complete_curve(run, training)
    else:
        run, _ = read_run(path)
    if name is None:
        of = say("the run in {folder!r}", folder=str(path))
        instead = say("load it under another name: --name NAME")
        check_name(run.name, of, StorageError, instead)
    run.name = run.name if name is None else name
    run.folder = typed if path.is_dir() else None
    return run


def _best(folder: RunFolder) -> Run:
    run, training = folder.newest()
    complete_curve(run, training)
    best = run.record.best
    if best is None:
        text = marked("run {run!r} has no held-out score, so none of its weights is best")
        raise StorageError(say(text, run=run.name))
    if best.steps in (run.steps, run.weights_from) or take_best(run, training):
        return run
    if best.tokens is None:
        run, _ = read_run(_of_epoch(folder.path, best.epoch))
        return run
    raise StorageError(
        say(
            "{folder!r} does not keep the best weights of run {run!r}, {when}: they lie between two"
            " epochs, and it was not trained with --keep best",
            folder=str(folder.path),
            run=run.name,
            when=best.when,
        )
    )


def _of_epoch(folder: Path, epoch: int) -> Path:
    epochs = RunFolder(folder).require().epochs
    if epoch not in epochs:
        text = (
            marked("{folder!r} does not keep epoch {epoch}; it keeps: {kept}")
            if epochs
            else marked("{folder!r} does not keep epoch {epoch}; it keeps: none")
        )
        kept = ", ".join(map(str, epochs))
        raise StorageError(say(text, folder=str(folder), epoch=epoch, kept=kept))
    return epochs[epoch]
