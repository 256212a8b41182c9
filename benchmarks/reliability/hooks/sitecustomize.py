"""Faults that a process of the campaign brings along, asked for by environment variables.

ZOO_CLOCK=SECONDS,BACK sets the clock back by BACK seconds, SECONDS after the start.
"""

import os
import time

if "ZOO_CLOCK" in os.environ:
    _after, _back = map(float, os.environ["ZOO_CLOCK"].split(","))
    _now, _began = time.time, time.monotonic()
    time.time = lambda: _now() - (_back if time.monotonic() - _began > _after else 0.0)
