"""The parts of a script after its text: pieces of source, chosen by what the run was."""

from __future__ import annotations

import inspect
import re

from rnn_magics.handout import pieces
from rnn_magics.models.cells import CELLS, Cell, GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, RNNCell
from rnn_magics.models.rnn_model import ModelConfig
from rnn_magics.training.config import TrainConfig
from rnn_magics.training.run import Run

STEPS: dict[type[Cell], str] = {
    RNNCell: pieces.RNN_STEP,
    GRUCell: pieces.GRU_STEP,
    LSTMCell: pieces.LSTM_STEP,
    MinGRUCell: pieces.MINGRU_STEP,
    MinLSTMCell: pieces.MINLSTM_STEP,
}
STARTS = {"seq": pieces.SEQUENTIAL, "random": pieces.RANDOM}
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
SHARES = {  # of the peak learning rate, without and with a warm-up
    "constant": ("", ""),
    "linear": (pieces.LINEAR, pieces.LINEAR_WARM),
    "cosine": (pieces.COSINE, pieces.COSINE_WARM),
}
JOINED = {  # the tokens of a text, to be printed
    "char": '"".join(text)',
    "word": '" ".join(text)',
    "bpe": "tokenizer.decoder.decode(text)",
    "grapheme": '"".join(text)',
    "byte": 'bytes(byte for byte in text if byte in range(256)).decode(errors="replace")',
    "given": "*text",
}
_ROW_TOKENS = 1024  # `iter_evaluate` reads in rows if there are at least two of this length


def numbers(run: Run) -> str:
    """Return the named constants of the run, and its random generators."""
    model, train, batching = run.config.model, run.config.train, run.config.batching
    lines = [
        _named(BATCH_SIZE=batching.batch_size, NUM_STEPS=batching.num_steps),
        _named(
            NUM_HIDDENS=model.num_hiddens,
            NUM_LAYERS=model.num_layers if model.num_layers > 1 else None,
            EMBEDDING_SIZE=model.embedding_size,
        ),
        "BOUND = NUM_HIDDENS**-0.5  # weights begin as U(-BOUND, BOUND)",
        _named(
            EPOCHS=train.epochs,
            LR=train.peak_lr,
            WARMUP=train.warmup or None if train.schedule != "constant" else None,
            CLIP=train.clip,
            SEED=train.seed,
        ),
        *([] if run.threads is None else [f"torch.set_num_threads({run.threads.number})"]),
    ]
    if model.dropout:
        kept = min(max(round((1 - model.dropout) * 2**16), 1), 2**16 - 1)
        lines.append(f"KEPT = {kept}  # of 2**16 elements: dropout {model.dropout!r}")
        two = "(torch.Generator().manual_seed(SEED) for _ in range(2))"
        lines.append(f"generator, dropout_generator = {two}")
    else:
        lines.append("generator = torch.Generator().manual_seed(SEED)")
    return "\n".join(lines)


def _named(**values: float | None) -> str:
    said = {name: value for name, value in values.items() if value is not None}
    return f"{', '.join(said)} = {', '.join(map(repr, said.values()))}"


def model(config: ModelConfig) -> list[str]:
    """Return the classes of the cell and the model."""
    cell = CELLS[config.cell]
    many, embedded = config.num_layers > 1, config.embedding_size is not None
    pair = cell.num_states > 1
    one_hot = pieces.EITHER if many else pieces.LOOKED_UP
    shape = ["2"] * pair + ["NUM_LAYERS"] * many + ["len(tokens)", "NUM_HIDDENS"]
    marks = {
        "CELL": config.cell.upper(),
        "DOCSTRING": (inspect.getdoc(cell) or "").split("\n")[0],
        "WEIGHT_HH": pieces.WEIGHT_HH * cell.multiplies_state,
        "BIAS_HH": pieces.BIAS_HH * cell.multiplies_state,
        "GATES": f"{cell.num_gates} * NUM_HIDDENS" if cell.num_gates > 1 else "NUM_HIDDENS",
        "PRODUCTS": pieces.MULTIPLIED if embedded else one_hot,
        "STATE": "hidden, memory" if pair else "hidden",
        "STEP": STEPS[cell],
        "LAST": "torch.stack((hidden, memory))" if pair else "hidden",
        "EMBEDDING": pieces.EMBEDDING * embedded,
        "LAYERS": pieces.LAYERS if many else pieces.ONE_LAYER,
        "STORED": pieces.STORED * many,
        "RECURRENT": "layers" if many else "layer",
        "INPUT_SIZE": "EMBEDDING_SIZE" if embedded else "len(vocab)",
        "EMBEDDING_WEIGHTS": pieces.EMBEDDING_WEIGHTS * embedded,
        "TIE": pieces.TIE * config.tie,
        "DROPOUT_METHOD": pieces.DROPOUT * bool(config.dropout),
        "FORWARD": pieces.FORWARD_MANY if many else pieces.FORWARD_ONE,
        "INPUTS": _dropped("self.embedding(tokens.t())", config) if embedded else "tokens.t()",
        "UNPACKED": "*state" if pair else "state",
        "EACH": "*state[i]" if pair else "state[i]",
        "OUTPUTS": _dropped("outputs", config),
        "SHAPE": ", ".join(shape),
    }
    return [_filled(pieces.CELL, marks), _filled(pieces.MODEL, marks)]


def _dropped(what: str, config: ModelConfig) -> str:
    return f"self.dropout({what})" if config.dropout else what


def evaluation(run: Run) -> list[str]:
    """Return the scoring of the held-out text; empty if nothing is held out."""
    if not run.num_valid_tokens:
        return []
    in_rows = run.num_valid_tokens - 1 >= 2 * _ROW_TOKENS
    return [pieces.EVALUATE_ROWS if in_rows else pieces.EVALUATE]


def training(run: Run) -> str:
    """Return the model, the optimizer and the training loop."""
    train, batching = run.config.train, run.config.batching
    share = SHARES[train.schedule][bool(train.warmup)]
    carried = batching.batching == "seq"
    room = run.num_train_tokens - batching.tokens_per_batch  # offsets that leave one minibatch
    marks = {
        "OPTIMIZER": OPTIMIZERS[train.optimizer],
        "OPTIONS": _options(train),
        "LARGEST": "NUM_STEPS" if batching.num_steps <= room else str(room),
        "STARTS": STARTS[batching.batching],
        "state, total = None, 0.0": "state, total = None, 0.0" if carried else "total = 0.0",
        "ROWS": "step, rows in enumerate(starts)" if share else "rows in starts",
        "LEFT": "state" if carried else "_",
        ":-1], state)": ":-1], state)" if carried else ":-1])",
        "CLIPPED": pieces.CLIPPED * (train.clip is not None),
        "RATE": pieces.RATE * bool(share),
        "SHARE": share,
        "DETACHED": pieces.DETACHED * carried,
        "REPORT": pieces.REPORT_HELD_OUT if run.num_valid_tokens else pieces.REPORT,
    }
    return _filled(pieces.LOOP, marks)


def _options(train: TrainConfig) -> str:
    words = ["lr=LR"]
    if train.weight_decay or train.optimizer == "adamw":  # the default of AdamW is not zero
        words.append(f"weight_decay={train.weight_decay!r}")
    if train.optimizer != "sgd":
        words.append("fused=True")
    return ", ".join(words)


def writing(token: str) -> str:
    """Return the code that lets the model continue the first tokens of the text."""
    return _filled(pieces.WRITE, {"JOINED": JOINED[token]})


def _filled(piece: str, marks: dict[str, str]) -> str:
    # A mark alone on a line is removed together with that line if its replacement is empty. A
    # replacement may itself hold marks.
    names = "|".join(map(re.escape, marks))

    def line(found: re.Match[str]) -> str:
        return f"{marks[found[1]]}\n" if marks[found[1]] else ""

    for _ in range(2):
        piece = re.sub(rf"^({names})\n", line, piece, flags=re.MULTILINE)
        piece = re.sub(rf"(?<!\w)(?:{names})(?!\w)", lambda found: marks[found[0]], piece)
    return piece
