"""``%inspect_rnn``: looks inside a model, and at its minibatches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from rnn_magics.errors import ConfigError
from rnn_magics.inspection.epochs import Epochs, inspect_epochs
from rnn_magics.inspection.inspectors import INSPECTORS, Inspector
from rnn_magics.inspection.inspectors import inspect_rnn as inspect
from rnn_magics.inspection.views.trace import Trace
from rnn_magics.language import marked, say
from rnn_magics.notebook.line.call import Call, variable
from rnn_magics.notebook.line.command import Magic
from rnn_magics.notebook.line.options import (
    LineOptions,
    flag_of,
    named,
    part_of,
    run_option,
    word,
)
from rnn_magics.notebook.page.view import show_trace
from rnn_magics.notebook.session.desk import Desk
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.session.views import Looked, ViewSource
from rnn_magics.options import Options, Spelling, describe, option


@dataclass(frozen=True, kw_only=True, repr=False)
class InspectOptions(LineOptions):
    """The options of ``%inspect_rnn``: its own, and those of all views, each listed once."""

    view: str = option(
        "",
        lambda: say("; ").join(
            f"{name}: {say(inspector.help)}" for name, inspector in INSPECTORS.items()
        ),
        choices=lambda: list(INSPECTORS),
        spelling=Spelling(metavar="VIEW", flag="", required=True),
    )
    text: str | None = option(None, "text that the model reads", spelling=word(metavar='"TEXT"'))
    into: str | None = option(
        None,
        marked("second text, into which patch puts the state"),
        spelling=word(metavar='"TEXT"'),
    )
    run: str | None = run_option("the run to use, or two for diff, A,B (default: the newest)")
    epochs: str | None = option(
        None,
        "the view after each epoch kept in a run's folder (default: the folder of the run)",
        spelling=named(metavar="DIR", bare=""),
    )
    config: Options = part_of(lambda: [inspector.config for inspector in INSPECTORS.values()])

    @classmethod
    def begin(cls, typed: Mapping[str, Any]) -> Self:
        """Return the defaults of the view."""
        view = typed["view"]
        return cls(view=view, config=INSPECTORS[view].config())


def inspection_call(session: Session, options: InspectOptions) -> Call[Trace] | Call[Epochs]:
    """Return the library call behind ``%inspect_rnn``.

    Raises
    ------
    ConfigError
        If the view does not take an option that was typed, or the text is missing.
    SessionError
        If the session does not have yet what the view needs.
    """
    view, inspector = options.view, INSPECTORS[options.view]
    _refuse_foreign(view, inspector, options)
    of_epochs = options.epochs is not None
    needs = [need for need in inspector.needs if not (of_epochs and need == "run")]
    things = [_thing(session, need, options) for need in needs]
    if options.config.changed():
        things.append(options.config)
    if of_epochs:
        return Call.of("trace", inspect_epochs, view, _folder(session, options), *things)
    return Call.of("trace", inspect, view, *things)


def _folder(session: Session, options: InspectOptions) -> str:
    if options.epochs and options.run is not None:
        msg = say("--epochs DIR already names the run; leave out either --run or DIR")
        raise ConfigError(msg)
    return options.epochs or session.require_folder(options.run)


def _refuse_foreign(view: str, inspector: Inspector, options: InspectOptions) -> None:
    for name in sorted(options.line.typed - {"view", "explain"}):
        if _takes(inspector, name):
            continue
        takers = [other for other, its in INSPECTORS.items() if _takes(its, name)]
        what = flag_of(InspectOptions, name)
        msg = say(
            "%inspect_rnn {view} takes no {option}; it is for {views}",
            view=view,
            option=what,
            views=", ".join(takers),
        )
        raise ConfigError(msg)


# What is typed for a need, where that is not its name; a folder stands in for a run.
_TYPED = {"run": ("run", "epochs"), "runs": ("run",), "passage": ("text",)}


def _takes(inspector: Inspector, name: str) -> bool:
    typed = (each for need in inspector.needs for each in _TYPED.get(need, (need,)))
    return name in typed or any(f.name == name for f in describe(inspector.config))


_NEEDED = {
    "text": marked('%inspect_rnn {view} needs a text: %inspect_rnn {view} "the "'),
    "into": marked(
        '%inspect_rnn {view} needs a second text: %inspect_rnn {view} "the " "he said "'
    ),
}


def _thing(session: Session, need: str, options: InspectOptions) -> Any:
    if need in ("text", "into"):
        text: str | None = options.text if need == "text" else options.into
        if text is None:
            msg = say(_NEEDED[need], view=options.view)
            raise ConfigError(msg)
        return text
    if need == "passage" and options.text is not None:
        return options.text
    if need == "run":
        return variable("run", session.snapshot(options.run))
    if need == "runs":
        first, second = map(session.snapshot, _two(session, options.run))
        return [variable("run", first), variable("other", second)]
    need = "corpus" if need == "passage" else need
    required = {"corpus": session.require_corpus, "batches": session.require_batches}
    return variable(need, required[need]())


def _two(session: Session, typed: str | None) -> list[str]:
    session.require_run()
    named = [*session.runs][-2:] if typed is None else typed.split(",")
    if len(named) != 2:  # noqa: PLR2004
        msg = say("diff compares two runs: name them with --run A,B")
        raise ConfigError(msg)
    return [name.strip() for name in named]


def _source(call: Call[Any], options: InspectOptions) -> ViewSource | None:
    # The source that a page may search by; only some views of a text have one.
    if not INSPECTORS[options.view].is_searched or options.text is None:
        return None
    given = call.values()
    if "folder" in given:
        return ViewSource(options.text, folder=str(given["folder"]))
    return ViewSource(options.text, given["things"][INSPECTORS[options.view].needs.index("run")])


def inspect_rnn(desk: Desk, options: InspectOptions) -> Trace:
    """Look inside a model while it reads a text; the result has its arrays as attributes.

    If the run is training in the background, the view shows a copy of its model.

    ::

        trace = %inspect_rnn hidden "the time machine" --order variance
        %inspect_rnn gates "the time machine" --run lstm-1 --layer 0
        %inspect_rnn surprise "the time machine" --top 3
        %inspect_rnn gradient "the time machine" --step 8
        %inspect_rnn match "the time machine" --span 4:8
        %inspect_rnn units --unit 17
        %inspect_rnn batches
        %inspect_rnn play "the time machine"
        %inspect_rnn patch "the time machine" "he said "
        %inspect_rnn ablate --layer 0
        %inspect_rnn ablate "the time machine by" --groups 8
        %inspect_rnn probe --feature in_quotes
        %inspect_rnn diff "the time machine" --run gru-1,lstm-1

    With ``--epochs``, the view after each epoch that a run keeps in its folder::

        trace = %inspect_rnn hidden "the time machine" --epochs
        %inspect_rnn surprise "the time machine" --epochs runs/first
    """
    call = inspection_call(desk.session, options)
    trace = call()
    read = {"text": options.text, "run": options.run, "folder": call.values().get("folder")}
    said = {name: str(value) for name, value in read.items() if value is not None}
    desk.session.views.looked[trace] = Looked(said, _source(call, options))
    show_trace(desk, trace)
    return trace


MAGIC = Magic(
    InspectOptions, inspect_rnn, lambda desk, options: [inspection_call(desk.session, options)]
)
