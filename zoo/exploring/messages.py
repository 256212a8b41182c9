"""What the page says: of a run at its head, and of mistakes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from zoo.base.names import short_name
from zoo.errors import ZooError
from zoo.training.run import Run


def showing_errors(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler whose ZooError is a message on the page, not a traceback."""

    @wraps(handler)
    def handled(*values: Any, **named: Any) -> Any:
        try:
            return handler(*values, **named)
        except ZooError as error:
            raise gr.Error(str(error), title="This can't be done", print_exception=False) from error

    return handled


def heading(run: Run) -> str:
    """What is explored, as Markdown."""
    shape = " x ".join(str(each) for each in run.record["dataset"]["sample_shape"])
    name = short_name(str(run.record["dataset"]["name"]))
    return f"# {run.record['stack']} on {name}\n{shape}, of the run `{run.directory.called}`"
