"""What is drawn after a run neither gets lost nor takes the process down with it."""

from __future__ import annotations

import subprocess
import sys

from rnn_magics.notebook.live.background import finish_later

BEGIN = (
    "import atexit, sys, threading\nfrom rnn_magics.notebook.live.background import finish_later\n"
)


def printed(code: str) -> str:
    """What an interpreter prints until it has gone."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_work_is_done_on_a_thread() -> None:
    done: list[int] = []
    thread = finish_later(lambda: done.append(1), "later")
    assert thread is not None
    thread.join()
    assert done == [1]


def test_the_end_of_the_interpreter_waits_for_it() -> None:
    # It goes on only when the main thread has begun to leave.
    code = (
        "def work():\n    threading.main_thread().join()\n    print('done', flush=True)\n"
        "finish_later(work, 'later')\n"
    )
    assert printed(code) == "done\n"


def test_nothing_begins_when_the_interpreter_is_leaving() -> None:
    code = "atexit.register(lambda: print(finish_later(lambda: print('done'), 'later')))\n"
    assert printed(code) == "None\n"
