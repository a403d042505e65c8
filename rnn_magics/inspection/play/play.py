"""The view ``play``: the model itself, in the page, to be typed at and changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rnn_magics.decoding.decoders import DecodingConfig
from rnn_magics.decoding.generate import generate
from rnn_magics.decoding.prefix import Trained, as_read
from rnn_magics.inspection.play.packed_model import packed_model
from rnn_magics.inspection.views.payload import PackedModel, PlayPayload
from rnn_magics.inspection.views.surprise import Surprise, inspect_surprise
from rnn_magics.inspection.views.trace import TextTrace
from rnn_magics.language import marked, say, say_number
from rnn_magics.options import NOT_NEGATIVE, SEED, Options, Range, option
from rnn_magics.results import shortened, visible

_LENGTH = 100
_PAGE_SEEDS = 1 << 32  # the page counts seeds in 32 bits


@dataclass(frozen=True, repr=False)
class PlayConfig(Options):
    """The options of the view ``play``."""

    length: int = option(_LENGTH, marked("tokens to write after the text"), within=Range(0, 1000))
    temperature: float = option(
        0.8,
        marked("below 1 favours the probable tokens, above 1 the improbable ones; 0 is greedy"),
        within=NOT_NEGATIVE,
    )
    seed: int = option(
        0, marked("seed of the offset and the shuffle of the epoch, or of the draws"), within=SEED
    )


@dataclass(frozen=True, repr=False, eq=False)
class Play(TextTrace):
    """A model that runs in the page.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    text
        The text that it reads first.
    surprise
        What the view ``surprise`` shows of the text.
    greedy
        What the model writes after the text when it always takes the most probable token.
    model
        The model as JSON.
    config
        How it goes on in the page.
    """

    kind: ClassVar[str] = "play"

    text: str
    surprise: Surprise
    greedy: str
    model: PackedModel
    config: PlayConfig = field(default_factory=PlayConfig)

    @property
    def title(self) -> str:
        """One line."""
        return say_number(
            len(self.model["vocab"]),
            "play: {cell}, {layers} x {units} units, {tokens} token, in the page",
            "play: {cell}, {layers} x {units} units, {tokens} tokens, in the page",
            cell=self.model["cell"],
            layers=self.model["num_layers"],
            units=self.model["num_hiddens"],
            tokens=len(self.model["vocab"]),
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say("Type, and watch the model read and write")

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "The darker a token, the less the model expected it. What is underlined the model"
            " wrote. Choose a cell of the state and drag its value: the text is written again."
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return the rows of the view ``surprise``."""
        return self.surprise.rows()

    def notes(self) -> Iterable[str]:
        """Return what the model writes, and what was read as ``<unk>``."""
        written = visible(shortened(self.greedy, 200), keep="")
        yield say("it goes on, greedily: {text}", text=written)
        yield from super().notes()

    def to_data(self) -> PlayPayload:
        """Return what a front end draws."""
        return {
            **self.head(),
            "text": self.text,
            "model": self.model,
            "length": self.config.length,
            "temperature": self.config.temperature,
            "seed": self.config.seed % _PAGE_SEEDS,
        }


def inspect_play(run: Trained, text: str, config: PlayConfig | None = None) -> Play:
    r"""Return the model of a run as a page can run it, with a text that it reads first.

    .. math:: h_t = f(x_t, h_{t-1}), \quad x_{t+1} \sim \mathrm{softmax}(o_t / T)

    The page computes what the model computes, in float32. Its draws are others than those of
    `rnn_magics.generate`, since its random numbers are.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads first.
    config
        How it goes on.

    Raises
    ------
    InspectionError
        If the text has fewer than two tokens or too many, or a page cannot run the model.
    """
    surprise, model = inspect_surprise(run, text), packed_model(run)
    greedy = generate(run, text, DecodingConfig(length=_LENGTH, greedy=True, no_unk=True))
    read = as_read(run, text)
    return Play(
        surprise.tokens,
        surprise.unknown,
        read,
        surprise,
        greedy.text,
        model,
        config or PlayConfig(),
    )
