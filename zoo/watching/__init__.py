"""How runs stand, for `zoo watch`: read from run directories alone, of whichever process and machine.

looking.py   every run below some folders, again and again
states.py    how a run stands, as plain data
files.py     what its files tell
locks.py     whether a process is writing it
"""

from zoo.watching.files import run_folders
from zoo.watching.looking import Watch
from zoo.watching.states import (
    DIVERGED,
    DONE,
    FAILED,
    RUNNING,
    STATES,
    STOPPED,
    WAITING,
    Budget,
    Pace,
    RunState,
    Scores,
)

__all__ = [
    "DIVERGED",
    "DONE",
    "FAILED",
    "RUNNING",
    "STATES",
    "STOPPED",
    "WAITING",
    "Budget",
    "Pace",
    "RunState",
    "Scores",
    "Watch",
    "run_folders",
]
