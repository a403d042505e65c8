"""History: the results of each epoch of a run, as plain lists."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from rnn_magics.errors import TrainingError
from rnn_magics.interrupts import whole_imports
from rnn_magics.scores.evaluation import bits_per_token, perplexity
from rnn_magics.training.events import EpochEnd

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class History:
    """Lists with one entry per epoch, including an epoch that was cut short.

    Attributes
    ----------
    train_perplexity, train_bits
        The training perplexity over the epoch, while the weights changed, and bits per token. For
        character tokens, bits per token are bits per character (bpc).
    valid_perplexity, valid_bits
        The same for the held-out text after the epoch; None if it was not scored.
    seconds
        Training time in seconds, without evaluation.
    tokens_per_second
        Training speed, without evaluation.
    grad_norm, grad_norm_max
        Median and maximum of the gradient norms before clipping.
    clipped
        Share of the steps whose gradient was clipped, in [0, 1].
    """

    train_perplexity: list[float] = field(default_factory=list)
    valid_perplexity: list[float | None] = field(default_factory=list)
    train_bits: list[float] = field(default_factory=list)
    valid_bits: list[float | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    tokens_per_second: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)
    grad_norm_max: list[float] = field(default_factory=list)
    clipped: list[float] = field(default_factory=list)

    def append(self, event: EpochEnd) -> None:
        """Append the results of an epoch."""
        valid = event.valid_nats
        self.train_perplexity.append(perplexity(event.train_nats))
        self.valid_perplexity.append(None if valid is None else perplexity(valid))
        self.train_bits.append(bits_per_token(event.train_nats))
        self.valid_bits.append(None if valid is None else bits_per_token(valid))
        self.seconds.append(event.seconds)
        self.tokens_per_second.append(event.tokens_per_second)
        self.grad_norm.append(event.grad_norm)
        self.grad_norm_max.append(event.grad_norm_max)
        self.clipped.append(event.clipped)

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.train_perplexity)

    def to_dict(self) -> dict[str, list[float | None]]:
        """Return the lists by name."""
        return {item.name: list(getattr(self, item.name)) for item in fields(self)}

    @whole_imports()
    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas frame with one row per epoch.

        Raises
        ------
        TrainingError
            If pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  (an optional extra)
        except ImportError:
            msg = (
                "to_pandas needs pandas: pip install 'rnn_magics[pandas]', or use to_dict for plain"
                " lists"
            )
            raise TrainingError(msg) from None

        index = pd.RangeIndex(1, len(self) + 1, name="epoch")
        return pd.DataFrame(self.to_dict(), index=index)
