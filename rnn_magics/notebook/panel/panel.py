"""The control panel, ``%rnn_lab``: the whole pipeline with widgets.

Each step is the form of one magic. Below the form is the magic line that does the same; one button
runs the line, another inserts it into the notebook as a cell. The panel can do nothing that a line
cannot. A step that is done is ticked off, with what it has made, and the next one opens.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
from IPython.core.interactiveshell import InteractiveShell

from rnn_magics.errors import StorageError
from rnn_magics.files import in_one_line, open_file, read_bytes, shown
from rnn_magics.interrupts import whole_imports
from rnn_magics.language import say
from rnn_magics.names import misfit
from rnn_magics.notebook.line.completion import variables_of
from rnn_magics.notebook.panel.section import WHOLE, Section, of_class
from rnn_magics.notebook.panel.steps import PLANS
from rnn_magics.notebook.session.session import Session
from rnn_magics.notebook.show.bundle import LIVE_MIME, show_forms
from rnn_magics.notebook.show.escape import one_line
from rnn_magics.notebook.widgets.base import forms_with_words
from rnn_magics.notebook.widgets.inserter import InserterWidget
from rnn_magics.results import Result
from rnn_magics.training.events import Event, TrainEnd
from rnn_magics.training.job import Job


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
        The steps by the name of the magic.
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
        self._followed: set[Job] = set()
        self._inserter = InserterWidget()
        insert = insert or self._inserter.insert
        offers = {"runs": lambda: session.runs, "variables": lambda: variables_of(shell)}
        self.sections = {
            plan.magic: Section(number, plan, shell, insert=insert, ran=self._ran, offers=offers)
            for number, plan in enumerate(PLANS, 1)
        }
        self.upload = widgets.FileUpload(
            accept=".txt,text/*", description=say("Upload a text"), multiple=False
        )
        self.upload.observe(self._take_upload, names="value")
        self._tell()
        self._next().head.is_open = True

    def view(self) -> widgets.Widget:
        """Return the panel as one widget."""
        first, *others = self.sections.values()
        about, *rows = first.body.children
        first.body.children = (about, self.upload, *rows)
        steps = [section.view() for section in (first, *others)]
        made = widgets.VBox([*steps, self._inserter], layout=WHOLE)
        return of_class("rnn-view", of_class("rnn-lab", made))

    def __repr__(self) -> str:
        """Return a plain form, for front ends without widgets."""
        return f"ControlPanel: {', '.join(f'%{magic}' for magic in self.sections)}"

    def _ipython_display_(self) -> None:
        lines = [
            f"%{magic} ..." if s.form.missing else s.form.magic_line()
            for magic, s in self.sections.items()
        ]
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
    def _ran(self, section: Section) -> None:
        # A step folds above its result, and once it is done, the next one opens. Writing goes on.
        self._follow_jobs()
        self._tell()
        if section is not self.sections["generate"]:
            section.head.is_open = False
            shown = self._opened_after(section) if section.head.is_done else section
            shown.head.brought += 1

    def _follow_jobs(self) -> None:
        # A run in the background ends later; its step is then ticked off, and the page stays put.
        for job in {*self._session.jobs.values()} - self._followed:
            self._followed.add(job)
            job.also(self._heard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, TrainEnd):
            self._tell()
            training = self.sections["train_rnn"]
            if training.head.is_done and not training.head.is_open:
                self._opened_after(training)

    def _tell(self) -> None:
        for section in self.sections.values():
            section.tell(section.plan.made(self._session))

    def _next(self) -> Section:
        # The first step that is not done.
        *_, last = self.sections.values()
        return next((s for s in self.sections.values() if not s.head.is_done), last)

    def _opened_after(self, section: Section) -> Section:
        after = list(self.sections.values())[section.head.number]  # counted from 1
        after.head.is_open = True
        return after


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
