"""A step of the control panel as widgets."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from rnn_magics.language import say
from rnn_magics.notebook.panel.forms import Form, Offers
from rnn_magics.notebook.panel.outputs import shown_in
from rnn_magics.notebook.panel.steps import Made, Plan
from rnn_magics.notebook.show.escape import escaped
from rnn_magics.notebook.widgets.step import StepWidget
from rnn_magics.results import visible

WHOLE = {"width": "100%"}


class Section:
    """A step: its heading, its form, the line that does the same, and the output of the line.

    Parameters
    ----------
    number
        Its place among the steps.
    plan
        What it asks for.
    shell
        The shell that runs the line.
    insert
        Inserts a line into the notebook as a cell.
    ran
        Called with the section after its line has run without an error.
    offers
        See `Form`.

    Attributes
    ----------
    form : Form
        The options.
    head : StepWidget
        The heading.
    line, problem : ipywidgets.HTML
        The magic line, and what is wrong with the values.
    run, insert : ipywidgets.Button
        The buttons that run the line and insert it into the notebook.
    output : ipywidgets.Output
        The output of the line, which stays when the form is folded.
    """

    def __init__(
        self,
        number: int,
        plan: Plan,
        shell: InteractiveShell,
        *,
        insert: Callable[[str], None],
        ran: Callable[[Section], None],
        offers: Offers,
    ) -> None:
        command: Any = shell.find_line_magic(plan.magic)
        self.plan = plan
        self._shell, self._insert, self._ran = shell, insert, ran
        self._about = widgets.Label(inspect.cleandoc(command.getdoc()).partition("\n")[0])
        self.form = Form(
            command.parser(),
            skip=plan.skip,
            fixed=plan.fixed,
            offers=offers,
        )
        self.head = StepWidget(number=number, title=say(plan.title))
        self.line, self.problem = widgets.HTML(), widgets.HTML()
        self.run = widgets.Button(
            description=say(plan.button), button_style="primary", layout={"width": "auto"}
        )
        self.insert = widgets.Button(
            description=say("Insert as a cell"), icon="plus", layout={"width": "auto"}
        )
        self.output = widgets.Output()
        self.body = widgets.VBox([self._about, *self._rows()], layout=WHOLE)
        self.body.layout.display = "none"
        self.head.observe(self._fold, names="is_open")
        self.run.on_click(lambda _button: self.do())
        self.insert.on_click(lambda _button: self._insert(self.form.magic_line()))
        self.form.observe(self.check)
        self.check()

    def check(self) -> None:
        """Show the line of the values, or what is wrong with them."""
        problem, missing = self.form.check(self._shell.user_ns), self.form.missing
        line = "" if problem or missing else self.form.magic_line()
        if line:
            said = f"{say('the same line:')} <code>{escaped(line)}</code>"
        else:
            labels = say(", ").join(missing)
            said = escaped(say("to be filled in: {labels}", labels=labels)) if missing else ""
        self.line.value = f"<span class='rnn-lab-line'>{said}</span>"
        self.say(problem)
        self.run.disabled = self.insert.disabled = not line

    def say(self, problem: str) -> None:
        """Show what is wrong; an empty text shows nothing."""
        self.problem.value = f"<span role='alert'>{escaped(problem)}</span>" if problem else ""

    def do(self) -> None:
        """Run the line and show its output."""
        self.check()
        line, self.run.disabled = self.form.line(), True  # so that nobody runs it twice
        try:
            with shown_in(self.output, self._shell):
                result = self._shell.run_line_magic(self.plan.magic, line)
                if result is not None:
                    display(result)
        except UsageError as error:
            self.say(str(error))
        else:
            self._ran(self)
        finally:
            self.run.disabled = False

    def tell(self, made: Made) -> None:
        """Show in the heading what the session has of the step."""
        self.head.said, self.head.is_done = visible(made.said), made.is_done
        self.form.refresh()

    def view(self) -> widgets.Widget:
        """Return the section as one widget."""
        return of_class(
            "rnn-lab-step", widgets.VBox([self.head, self.body, self.output], layout=WHOLE)
        )

    def _rows(self) -> list[widgets.Widget]:
        fields = self.form.fields
        front = [fields[name].widget for name in self.plan.front if name in fields]
        others = [f.widget for name, f in fields.items() if name not in self.plan.front]
        more = widgets.Accordion([_grid(others)], titles=(say("more options"),))
        buttons = widgets.HBox([self.run, self.insert])
        return [_grid(front), more, self.line, self.problem, buttons]

    def _fold(self, _change: object) -> None:
        self.body.layout.display = None if self.head.is_open else "none"


def of_class(name: str, widget: Any) -> Any:
    """Return a widget, with a class of our style sheets."""
    widget.add_class(name)
    return widget


def _grid(shown: list[Any]) -> widgets.Box:
    return of_class("rnn-lab-fields", widgets.Box(shown))
