"""The states of runs for `zoo watch`, read from run directories alone, whatever process and machine writes them.

polling.py     reads the states of all runs below some folders, repeatedly
states.py      the state of a run, as plain data
run_files.py   reads the files of a run, with a cache
locks.py       whether a process is writing a run
"""

from zoo.watching.polling import Watch
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
]
