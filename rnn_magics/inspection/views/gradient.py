"""The view ``gradient``: how much each earlier token affects a prediction, and how far back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its usual name)

from rnn_magics.decoding.prefix import Trained, vocab_of
from rnn_magics.errors import InspectionError
from rnn_magics.inspection.views.payload import GradientPayload, number, numbers
from rnn_magics.inspection.views.trace import TextTrace
from rnn_magics.inspection.views.unrolled import (
    Array,
    LayerConfig,
    Unrolled,
    input_vectors,
    layer_of,
    read_text,
    to_array,
    unroll,
)
from rnn_magics.language import say
from rnn_magics.models.rnn_model import RNNModel
from rnn_magics.options import NOT_NEGATIVE, option
from rnn_magics.results import brief, quoted
from rnn_magics.text.tokenizers import UNK
from rnn_magics.text.vocab import Vocab

MAX_LAG = 200


@dataclass(frozen=True, repr=False)
class GradientConfig(LayerConfig):
    """The options of the view ``gradient``."""

    step: int | None = option(
        None,
        "the prediction after token N, from 0; by default after the last",
        within=NOT_NEGATIVE,
    )
    target: str | None = option(
        None, "the predicted token; by default the next in the text, or at its end the likeliest"
    )

    def settled(self, trace: Gradient) -> GradientConfig:
        """Return the options with the target of a trace."""
        word = str(trace.target)
        # A target that cannot be typed as one token, such as <unk>, is chosen again.
        typed = len(word) == 1 or (word.split() == [word] and word != UNK)
        return replace(self, target=word) if typed else self


@dataclass(frozen=True, repr=False, eq=False)
class Gradient(TextTrace):
    """How much each earlier token moves a prediction.

    Parameters
    ----------
    tokens
        The tokens of the text, as the model reads them.
    unknown
        The tokens that were read as ``<unk>``.
    layer
        The layer whose state is followed back.
    step
        The prediction comes after this token.
    target
        The predicted token.
    log_p
        Its log-probability, in nats.
    norms
        The Euclidean norm of d(log p)/d(input vector) for each token up to `step`, (step + 1,). The
        input vector is the embedding of the token, or its one-hot vector.
    lags
        The gain over k = 0, 1, 2 ... steps, (num_lags,): the Frobenius norm of d(s_t)/d(s_{t-k})
        divided by the norm of d(s_t)/d(s_t), where s is the state of the layer (for an LSTM, h and
        c concatenated) and t is `step`. It vanishes or explodes (Bengio et al. 1994, Pascanu et al.
        2013).
    """

    kind: ClassVar[str] = "gradient"

    layer: int
    step: int
    target: Any
    log_p: float
    norms: Array
    lags: Array

    @property
    def title(self) -> str:
        """One line."""
        return say(
            "gradient: of log p({target}) = {log_p:.2f} after token {step},"
            " with respect to each token before",
            target=quoted(self.target),
            log_p=self.log_p,
            step=self.step,
        )

    @property
    def heading(self) -> str:
        """What stands above a drawing or a picture."""
        return say(
            "What moves log p({target}) = {log_p:.2f} nats after token {step}",
            target=quoted(self.target),
            log_p=self.log_p,
            step=self.step,
        )

    @property
    def caption(self) -> str:
        """How to read it."""
        return say(
            "How much a small change of each token moves the prediction: the"
            " darker or the higher, the more. The curve: what is left of a"
            " change of the state of layer {layer} after so many steps.",
            layer=self.layer,
        )

    def rows(self) -> Iterable[Sequence[str]]:
        """Return for each token its distance, norm, and the gain over it."""
        yield say("lag"), say("token"), say("norm"), say("gain of the state")
        for place in range(self.step, -1, -1):
            lag = self.step - place
            gain = f"{self.lags[lag]:.3g}" if lag < len(self.lags) else ""
            yield str(lag), quoted(self.tokens[place]), f"{self.norms[place]:.3g}", gain

    def to_data(self) -> GradientPayload:
        """Return what a front end draws."""
        return {
            **self.head(),
            "layer": self.layer,
            "step": self.step,
            "target": brief(self.target),
            "log_p": number(self.log_p),
            "norms": numbers(self.norms),
            "lags": numbers(self.lags),
        }


def inspect_gradient(run: Trained, text: str, config: GradientConfig | None = None) -> Gradient:
    r"""Return how much each earlier token affects a prediction, by gradients through time.

    .. math::

        g_t &= \|\partial \ln p(y \mid x_{\le T}) / \partial x_t\| \\
        a_k &= \|\partial s_T / \partial s_{T-k}\|

    These are exact derivatives at the given text, computed by autograd through `Cell.forward`.

    Parameters
    ----------
    run
        A run, or anything with a model and a vocabulary.
    text
        The text that the model reads, from a zero state.
    config
        The prediction, and the layer that is followed back.

    Raises
    ------
    InspectionError
        If there is no such step, target or layer, the text has fewer than two tokens or too many,
        or the model is bidirectional.
    """
    config = config or GradientConfig()
    reading, layer = read_text(run, text, at_least=2), layer_of(run.model, config.layer)
    step = len(reading) - 1 if config.step is None else config.step
    if step >= len(reading):
        msg = say(
            "the text has no token {step}: its tokens are 0 to {last}",
            step=step,
            last=len(reading) - 1,
        )
        raise InspectionError(msg)
    ids = reading.ids[: step + 1]
    target = _target(vocab_of(run), config.target)
    if target is None and step + 1 < len(reading):
        target = int(reading.ids[step + 1])
    norms, target, log_p = saliency(run.model, ids, target)
    with torch.no_grad():
        unrolled = unroll(run.model, input_vectors(run.model, ids))[layer]
    return Gradient(
        reading.tokens,
        reading.unknown,
        layer,
        step,
        vocab_of(run).to_tokens(target),
        log_p,
        to_array(norms),
        to_array(gains(unrolled, MAX_LAG)),
    )


def _target(vocab: Vocab, word: str | None) -> int | None:
    if word is None:
        return None
    tokens = vocab.split(word)
    if len(tokens) != 1 or tokens[0] not in vocab:
        msg = say(
            "{word} is not a {kind} token of the vocabulary; --target must name one",
            word=quoted(word),
            kind=vocab.token,
        )
        raise InspectionError(msg)
    return int(vocab[tokens[0]])


def saliency(model: RNNModel, ids: Tensor, target: int | None) -> tuple[Tensor, int, float]:
    """Return the norms of d(log p(target))/d(input vector) for tokens read from a zero state.

    Parameters
    ----------
    model
        A unidirectional model.
    ids
        Token indices, (num_tokens,); the prediction comes after the last one.
    target
        The predicted index; None for the likeliest.

    Returns
    -------
    norms : Tensor
        The norms, (num_tokens,).
    target : int
        The predicted index.
    log_p : float
        Its log-probability, in nats.
    """
    with torch.enable_grad():
        if model.embedding is None:
            vectors = F.one_hot(ids, model.vocab_size).to(model.output.weight.dtype)
        else:
            vectors = model.embedding(ids).detach()
        vectors.requires_grad_()  # (num_tokens, input_size)
        last = unroll(model, vectors)[-1].states[0][-1]  # (num_hiddens,)
        log_p = model.output(last).log_softmax(dim=-1)
        chosen = int(log_p.argmax()) if target is None else target
        (gradient,) = torch.autograd.grad(log_p[chosen], vectors)
    return gradient.norm(dim=-1), chosen, log_p[chosen].item()


def gains(unrolled: Unrolled, max_lag: int) -> Tensor:
    """Return ``||ds_t/ds_{t-k}|| / ||ds_t/ds_t||`` for k = 0, 1, ... and the last step t.

    The Jacobian over k steps is the Jacobian over k - 1 steps times that of a single step. Its rows
    are carried back as the rows of one batch, so each lag costs one step of `Cell.forward` and its
    gradient.

    Parameters
    ----------
    unrolled
        A layer, unrolled over a text.
    max_lag
        The largest k.

    Returns
    -------
    Tensor
        The gains, (min(max_lag, num_tokens - 1) + 1,).
    """
    num_tokens, size = len(unrolled.x), sum(part.shape[1] for part in unrolled.states)
    jacobian = torch.eye(size, dtype=unrolled.x.dtype, device=unrolled.x.device)
    norms = [jacobian.norm()]
    for step in range(num_tokens - 1, max(0, num_tokens - 1 - max_lag), -1):
        with torch.enable_grad():
            before = tuple(
                part[step].expand(size, -1).clone().requires_grad_() for part in unrolled.states
            )
            after = unrolled.cell(unrolled.x[step].expand(size, -1), before)
            widths = [part.shape[1] for part in after]
            rows = torch.autograd.grad(
                after, before, torch.split(jacobian, widths, dim=1), materialize_grads=True
            )
        jacobian = torch.cat(rows, dim=1)
        norms.append(jacobian.norm())
    found: Tensor = torch.stack(norms) / norms[0]
    return found
