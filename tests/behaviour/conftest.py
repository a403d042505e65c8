"""A behaviour is asked for from outside: in the shell of the magics, of a run as files keep it."""

from tests.notebook.conftest import (
    ipython_folder,
    notebook,
    prepared,
    shell,
    shown,
    trained,
)
from tests.storage.conftest import run

__all__ = ["ipython_folder", "notebook", "prepared", "run", "shell", "shown", "trained"]
