"""The control panel, ``%rnn_lab``: the whole pipeline with widgets.

Each section is the form of one magic. Below the form is the magic line that does the same; one
button runs the line, another inserts it into the notebook as a cell. The panel can do nothing that
a line cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from rnn_magics.errors import StorageError
from rnn_magics.files import in_one_line, open_file, read_bytes, shown
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import marked, say
from rnn_magics.names import misfit
from rnn_magics.notebook.line.parser import MagicParser
from rnn_magics.notebook.panel.forms import Form
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.bundle import LIVE_MIME, show_forms
from rnn_magics.notebook.show.escape import escaped, one_line
from rnn_magics.notebook.widgets.base import forms_with_words
from rnn_magics.notebook.widgets.inserter import InserterWidget
from rnn_magics.results import Result

_WHOLE = {"width": "100%"}


@dataclass(frozen=True)
class Plan:
    """A section of the panel.

    Parameters
    ----------
    magic
        The name of the magic.
    title
        The title of the section.
    button
        The label of the button that runs the line.
    front
        Arguments that are always visible; the others are under "more options".
    skip
        Arguments that make no sense in a form.
    sliders
        See `Form`.
    fixed
        Words on every line, e.g. ``--background``, which keeps the panel usable during training.
    """

    magic: str
    title: str
    button: str
    front: tuple[str, ...]
    skip: tuple[str, ...] = ()
    sliders: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()


PLANS = (
    Plan(
        "corpus",
        marked("1 Corpus"),
        marked("Read the text"),
        ("source", "valid", "d2l"),
        ("as_tokens",),
    ),
    Plan(
        "vocab",
        marked("2 Vocabulary"),
        marked("Make the vocabulary"),
        ("token", "min_freq", "zipf"),
    ),
    Plan(
        "sample",
        marked("3 Minibatches"),
        marked("Cut the text"),
        ("batching", "batch_size", "num_steps"),
    ),
    Plan(
        "train_rnn",
        marked("4 Training"),
        marked("Train"),
        ("cell", "num_hiddens", "num_layers", "epochs", "lr", "clip"),
        skip=("background",),
        fixed=("--background",),
    ),
    Plan(
        "generate",
        marked("5 Text"),
        marked("Write"),
        ("prefix", "length", "temperature"),
        sliders={"temperature": (0.0, 2.0, 0.05, 1.0)},
    ),
)


class Section:
    """The section of a magic: its form, its line, and the output of the line.

    Parameters
    ----------
    plan
        The contents of the section.
    parser
        The parser of the magic.
    shell
        The shell that runs the line.
    insert
        Inserts a line into the notebook as a cell.
    ran
        Called after the line has run.

    Attributes
    ----------
    form : Form
        The arguments.
    line : ipywidgets.Text
        The magic line, for reading and copying.
    problem : ipywidgets.HTML
        What is wrong with the values; empty if nothing is.
    run, insert : ipywidgets.Button
        The buttons that run the line and insert it into the notebook.
    output : ipywidgets.Output
        The output of the line.
    """

    def __init__(
        self,
        plan: Plan,
        parser: MagicParser[Any],
        shell: InteractiveShell,
        insert: Callable[[str], None],
        ran: Callable[[], None],
    ) -> None:
        self.plan = plan
        self._shell, self._insert, self._ran = shell, insert, ran
        self.form = Form(parser, skip=plan.skip, sliders=plan.sliders, fixed=plan.fixed)
        self.line = widgets.Text(description=say("as a line:"), disabled=True, layout=_WHOLE)
        self.problem = widgets.HTML()
        self.run = widgets.Button(description=say(plan.button), button_style="primary")
        self.insert = widgets.Button(description=say("Insert as a cell"), icon="plus")
        self.output = widgets.Output()
        self.run.on_click(lambda _button: self.do())
        self.insert.on_click(lambda _button: self._insert(self.form.magic_line()))
        self.form.observe(self._changed)
        self._changed()

    def _changed(self) -> None:
        problem = self.form.problem(self._shell.user_ns)
        self.line.value = "" if problem else self.form.magic_line()
        self.say(problem)
        self.run.disabled = self.insert.disabled = bool(problem)

    def say(self, problem: str) -> None:
        """Show what is wrong; an empty text shows nothing."""
        self.problem.value = f"<span role='alert'>{escaped(problem)}</span>" if problem else ""

    def do(self) -> None:
        """Run the line and show its output."""
        self.output.clear_output()
        with self.output:
            try:
                result = self._shell.run_line_magic(self.plan.magic, self.form.line())
            except UsageError as error:
                print(f"UsageError: {error}")
            else:
                if result is not None:
                    display(result)
        self._ran()

    def view(self) -> widgets.Widget:
        """Return the section as one widget."""
        fields = self.form.fields
        front = [fields[name].widget for name in self.plan.front if name in fields]
        others = [f.widget for name, f in fields.items() if name not in self.plan.front]
        more = widgets.Accordion([_rows(others)], titles=(say("more options"),))
        buttons = widgets.HBox([self.run, self.insert])
        parts = [_rows(front), more, self.line, self.problem, buttons, self.output]
        return widgets.VBox(parts, layout=_WHOLE)


class ControlPanel(Result):
    """The whole pipeline with widgets.

    Parameters
    ----------
    shell
        The shell in which our magics are registered.
    session
        The session of the notebook.
    insert
        Inserts a line into the notebook as a cell. By default, the page does it.

    Attributes
    ----------
    sections : dict of str to Section
        The sections by the name of the magic.
    upload : ipywidgets.FileUpload
        Uploads a text from the user's computer.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        session: Session,
        insert: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._inserter = InserterWidget()
        insert = insert or self._inserter.insert
        self._status = widgets.HTML()
        self.sections = {
            plan.magic: Section(
                plan, shell.find_line_magic(plan.magic).parser(), shell, insert, self._ran
            )
            for plan in PLANS
        }
        self.upload = widgets.FileUpload(
            accept=".txt,text/*", description=say("Upload a text"), multiple=False
        )
        self.upload.observe(self._take_upload, names="value")
        self._ran()

    def view(self) -> widgets.Widget:
        """Return the panel as one widget."""
        parts = [section.view() for section in self.sections.values()]
        parts[0] = widgets.VBox([self.upload, parts[0]])
        titles = tuple(say(section.plan.title) for section in self.sections.values())
        steps = widgets.Accordion(parts, titles=titles, selected_index=0)
        return widgets.VBox([self._status, steps, self._inserter], layout=_WHOLE)

    def __repr__(self) -> str:
        """Return a plain form, for front ends without widgets."""
        return f"ControlPanel: {', '.join(f'%{magic}' for magic in self.sections)}"

    def _ipython_display_(self) -> None:
        lines = [s.line.value or f"%{magic} ..." for magic, s in self.sections.items()]
        # A saved notebook has no widgets; a page that draws them leaves these words out.
        show_forms({LIVE_MIME: {}, "text/plain": "\n".join(lines)})
        show_forms(forms_with_words(self.view(), repr(self)))

    def _take_upload(self, _change: object) -> None:
        section = self.sections["corpus"]
        for given in self.upload.value:
            name = Path(given["name"]).name
            if what := misfit(name):
                unfit = say(
                    "the file name has {what}; rename the file and upload it again", what=what
                )
                section.say(unfit)
                continue
            try:
                kept = _kept(name, bytes(given["content"]))
            except StorageError as error:
                section.say(one_line(str(error)))
                continue
            section.form.fields["source"].widget.value = kept

    @whole_imports()
    def _ran(self) -> None:
        from rnn_magics.notebook.show.status import session_status  # noqa: PLC0415  (torch)

        said = repr(session_status(self._session))
        self._status.value = f"<pre>{escaped(said)}</pre>"


def _rows(shown: list[Any]) -> widgets.Box:
    return widgets.Box(shown, layout={"flex_flow": "row wrap", **_WHOLE})


def _kept(name: str, content: bytes) -> str:
    # Saved beside the notebook, so that the line works again; no other file is ever overwritten.
    stem, suffix = Path(name).stem or "text", Path(name).suffix
    number = 0
    while True:
        path = Path(f"{stem}{f'-{number}' if number else ''}{suffix}")
        try:
            with (
                in_one_line(
                    StorageError, say("cannot keep {name}", name=shown(name)), FileExistsError
                ),
                open_file(path, "xb") as file,
            ):
                file.write(content)
        except FileExistsError:
            if path.is_file() and read_bytes(path) == content:
                return str(path)
            number += 1
        else:
            return str(path)
