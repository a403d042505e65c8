"""Reading a run, from a model file or from the folder of a run."""

from __future__ import annotations

from pathlib import Path

from rnn_magics.errors import StorageError
from rnn_magics.names import check_name
from rnn_magics.storage import atomic
from rnn_magics.storage.model_file import read_run
from rnn_magics.storage.run_folder import RunFolder
from rnn_magics.training.run import Run


def load_run(path: str | Path, *, name: str | None = None, epoch: int | None = None) -> Run:
    """Read a run from a file that `save_run` wrote, or from the folder of a run.

    Nothing of a file is used before its sha256 has been found to be right, no code in it is
    ever run, and no size in it is believed before it has been compared with what is there.

    Parameters
    ----------
    path
        Of the file, or of the folder that a `Checkpointing` keeps; ``~`` for the home folder.
    name
        How listings call the run; by default as before.
    epoch
        Of a folder: the run as it was after that epoch, one of ``checkpoint_epochs(path)``; by
        default as it was last.

    Returns
    -------
    Run
        On the CPU, ready to generate, to be scored and to be looked at.

    Raises
    ------
    StorageError
        When the file cannot be read, is damaged, or is no file of ours; when the folder is that
        of no run, or does not keep the epoch; when the run has a name that cannot be taken.
    ConfigError
        When `name` cannot be a name.
    """
    check_name(name or "", "the run")
    typed, path = str(path), atomic.user_path(path)
    if epoch is not None:
        run, _ = read_run(_of_epoch(path, epoch))
    elif path.is_dir():
        run, _ = RunFolder(path).require().newest()
    else:
        run, _ = read_run(path)
    if name is None:
        of, instead = f"the run in {str(path)!r}", "load it under another: --name NAME"
        check_name(run.name, of, StorageError, instead)
    run.name = run.name if name is None else name
    run.folder = typed if path.is_dir() else None
    return run


def _of_epoch(folder: Path, epoch: int) -> Path:
    epochs = RunFolder(folder).require().epochs
    if epoch not in epochs:
        kept = ", ".join(map(str, epochs)) or "none"
        msg = f"{str(folder)!r} does not keep epoch {epoch} (kept: {kept})"
        raise StorageError(msg)
    return epochs[epoch]
