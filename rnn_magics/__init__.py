"""rnn_magics: a recurrent-language-model workbench inside Jupyter.

In a notebook, ``%load_ext rnn_magics``. In Python::

    from rnn_magics import Corpus, ModelConfig, TrainConfig, Vocab, generate, make_batches, train

    corpus = Corpus.load("python_docs")
    vocab = Vocab.from_corpus(corpus)
    batches = make_batches(corpus, vocab)
    run = train(batches, ModelConfig(cell="gru"), TrainConfig(epochs=1))
    print(generate(run, "The "))

The public names are listed in ``__init__.pyi``. Each is imported when it is first used, so that
``import rnn_magics`` does not wait for torch.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import lazy_loader

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.2.0"

_RENAMED = {
    "score": "score_text",
    "Standing": "BaselineComparison",
    "standing": "compare_with_baselines",
}
"""Names that still work in this release, by what they are called now."""

_import, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _RENAMED:
        msg = f"rnn_magics.{name} is called rnn_magics.{_RENAMED[name]} now"
        warnings.warn(msg, DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from rnn_magics.interrupts import whole_imports  # noqa: PLC0415  (itself only when needed)

    with whole_imports():
        return _import(name)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics: ``%load_ext rnn_magics``."""
    from rnn_magics.notebook.extension import load  # noqa: PLC0415  (IPython only when asked for)

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take everything back that loading registered: ``%unload_ext rnn_magics``."""
    from rnn_magics.notebook.extension import unload  # noqa: PLC0415

    unload(shell)
