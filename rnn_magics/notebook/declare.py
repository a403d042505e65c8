"""The command line of each magic: which dataclasses it takes its options from, and its own."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rnn_magics.names import misfit
from rnn_magics.notebook.actions import ACTIONS
from rnn_magics.notebook.arguments import MagicParser, offer
from rnn_magics.options import check_choice, describe


def corpus(parser: MagicParser) -> None:
    """Declare ``%corpus``."""
    from rnn_magics.text.corpus import DEFAULT_SOURCE, CorpusConfig  # noqa: PLC0415  (numpy, too)
    from rnn_magics.text.download import DownloadConfig  # noqa: PLC0415
    from rnn_magics.text.sources import BUILTINS  # noqa: PLC0415

    source = parser.add(
        "source",
        nargs="*",
        metavar="NAME|PATH|URL",
        help=f"built-in: {', '.join(BUILTINS)} (default {DEFAULT_SOURCE}); for %%%%corpus a name",
    )
    offer(source, lambda: list(BUILTINS))
    parser.add("--data", metavar="NAME", help="a variable: text, list of lines, or tokens")
    parser.add(
        "--as-tokens", action="store_true", help="take a list of strings in --data for tokens"
    )
    parser.add("--encoding", metavar="NAME", help="of files and downloads (default UTF-8)")
    parser.add("--name", type=_name("--name"), metavar="NAME", help="how listings call the corpus")
    parser.add_options(CorpusConfig)
    parser.add_options(DownloadConfig)


def vocab(parser: MagicParser) -> None:
    """Declare ``%vocab``."""
    from rnn_magics.text.vocab import VocabConfig  # noqa: PLC0415

    parser.add("--zipf", action="store_true", help="show n-gram counts, Zipf's law and coverage")
    parser.add_options(VocabConfig)


def sample(parser: MagicParser) -> None:
    """Declare ``%sample``."""
    from rnn_magics.batching import BATCHERS, BatchConfig  # noqa: PLC0415  (torch on demand)

    batching = parser.add(
        "batching",
        nargs="?",
        type=_one_of("batching", lambda: list(BATCHERS)),
        metavar="|".join(BATCHERS),
        help="; ".join(f"{name}: {batcher.help}" for name, batcher in BATCHERS.items()),
    )
    offer(batching, lambda: list(BATCHERS))
    parser.add("--show", type=_count("--show"), metavar="K", help="show the first K minibatches")
    parser.add_options(BatchConfig, skip=["batching"])


def train_rnn(parser: MagicParser) -> None:
    """Declare ``%train_rnn``."""
    from rnn_magics.models.rnn_model import ModelConfig  # noqa: PLC0415  (torch on demand)
    from rnn_magics.storage.checkpointing import Checkpointing  # noqa: PLC0415
    from rnn_magics.training.config import TrainConfig  # noqa: PLC0415
    from rnn_magics.training.recipes import RECIPES  # noqa: PLC0415

    recipe = parser.add(
        "--recipe",
        type=_one_of("--recipe", lambda: list(RECIPES)),
        metavar="NAME",
        help=f"known settings, which other options override: {', '.join(RECIPES)}",
    )
    offer(recipe, lambda: list(RECIPES))
    parser.add(
        "--name",
        type=_name("--name"),
        metavar="NAME",
        help="of the run (default: the cell and a number)",
    )
    parser.add("--seeds", type=_count("--seeds"), metavar="N", help="train N runs, seed after seed")
    parser.add("--background", action="store_true", help="return at once and train meanwhile")
    parser.add(
        "--checkpoint",
        type=_name("--checkpoint"),
        metavar="DIR",
        help="keep the run in a new folder",
    )
    parser.add_options(Checkpointing, skip=["folder"])
    parser.add(
        "--resume", metavar="DIR|last", help="go on with a run kept in a folder, bit for bit"
    )
    parser.add(
        "--no-baseline", action="store_true", help="fit no n-gram models to compare the run with"
    )
    parser.add_options(ModelConfig)
    parser.add_options(TrainConfig)


def generate(parser: MagicParser) -> None:
    """Declare ``%generate``."""
    from rnn_magics.decoding.decoders import DecodingConfig  # noqa: PLC0415  (torch on demand)

    parser.add("prefix", metavar='"TEXT"', help="what the model goes on from")
    parser.add("--run", metavar="NAME", help="whose model writes (default: the newest)")
    parser.add("--num", type=_count("--num"), metavar="K", help="write K texts at once")
    parser.add("--novelty", action="store_true", help="show what is copied from the training text")
    parser.add("--score", action="store_true", help="write nothing: score TEXT, token by token")
    parser.add_options(DecodingConfig)


def save_rnn(parser: MagicParser) -> None:
    """Declare ``%save_rnn``."""
    parser.add("path", nargs="?", metavar="PATH", help="of the file (default: the run's name)")
    parser.add("--run", metavar="NAME", help="which run (default: the newest)")
    parser.add("--force", action="store_true", help="replace a file that is no model file, too")


def load_rnn(parser: MagicParser) -> None:
    """Declare ``%load_rnn``."""
    parser.add("path", metavar="PATH", help="a model file, or the folder of a run")
    parser.add(
        "--name",
        type=_name("--name"),
        metavar="NAME",
        help="of the run (default: as it was called)",
    )
    parser.add("--epoch", type=_count("--epoch"), metavar="K", help="of a folder: as it was then")


def inspect_rnn(parser: MagicParser) -> None:
    """Declare ``%inspect_rnn``: the options of all views, each once."""
    from rnn_magics.inspection.inspectors import INSPECTORS  # noqa: PLC0415  (torch on demand)

    view = parser.add(
        "view",
        type=_one_of("view", lambda: list(INSPECTORS)),
        metavar="VIEW",
        help="; ".join(f"{name}: {inspector.help}" for name, inspector in INSPECTORS.items()),
    )
    offer(view, lambda: list(INSPECTORS))
    parser.add("text", nargs="?", metavar='"TEXT"', help="what the model reads")
    parser.add("--run", metavar="NAME", help="whose model (default: the newest)")
    parser.add(
        "--epochs",
        nargs="?",
        const="",
        metavar="DIR",
        help="after each epoch that the folder of a run keeps (default: that of the run)",
    )
    declared: set[str] = set()
    for inspector in INSPECTORS.values():
        parser.add_options(inspector.config, skip=declared)
        declared |= {field.name for field in describe(inspector.config)}


def rnn_lab(_parser: MagicParser) -> None:
    """Declare ``%rnn_lab``."""


def baseline(parser: MagicParser) -> None:
    """Declare ``%baseline``."""
    from rnn_magics.training.baseline import BaselineConfig  # noqa: PLC0415  (torch on demand)

    parser.add_options(BaselineConfig)


def evaluate_rnn(parser: MagicParser) -> None:
    """Declare ``%evaluate_rnn``."""
    parser.add("source", nargs="*", metavar="TEXT", help="built-in texts or files")
    parser.add("--run", metavar="NAME", help="which run, or all (default: the newest)")
    parser.add(
        "--ngram",
        type=_count("--ngram"),
        metavar="ORDER",
        help="also mix the run with counts of its training text, e.g. 7",
    )


def rnn(parser: MagicParser) -> None:
    """Declare ``%rnn``."""
    action = parser.add(
        "action",
        nargs="?",
        type=_one_of("%rnn", lambda: list(ACTIONS)),
        metavar="ACTION",
        help="; ".join(f"{word}: {action.help}" for word, action in ACTIONS.items())
        + "; without it, say where the session stands",
    )
    offer(action, lambda: list(ACTIONS))
    parser.add(
        "names", nargs="*", metavar="RUN", help="which run (default: the newest); of runs a folder"
    )
    parser.add("--reset", action="store_true", help="forget corpus, vocabulary and runs")


def _one_of(what: str, words: Callable[[], tuple[str, ...] | list[str]]) -> Callable[[str], str]:
    def convert(text: str) -> str:
        try:
            check_choice(what, text, words())
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return convert


def _name(flag: str) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if what := misfit(text):
            msg = f"{flag} has {what}; names are one line of text"
            raise argparse.ArgumentTypeError(msg)
        return text

    return convert


def _count(flag: str) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            msg = f"{flag} must be a whole number of at least 1, not {text!r}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)

    return convert
