"""What run directories say of a run: its lines of metrics, and its speed."""

import json
from pathlib import Path
from typing import Any


def metrics(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics.jsonl."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def speeds(run: Path, command_seconds: float) -> dict[str, float]:
    """Images a second from step 1 to the end, from the first line of metrics.jsonl to the last, and of the command."""
    lines = metrics(run)
    first, last = lines[0], lines[-1]
    found = {
        "images_per_second": last["images"] / last["seconds"],
        "images_per_second_of_command": last["images"] / command_seconds,
    }
    if len(lines) == 1:
        return found
    later = (last["images"] - first["images"]) / (last["seconds"] - first["seconds"])
    return {**found, "images_per_second_later": later}


def scores(run: Path) -> list[dict[str, Any]]:
    """The scores of a run while it trained, with the seconds that it had trained by the last line before."""
    lines, found = metrics(run), []
    for each in json.loads((run / "evaluation.json").read_text())["evaluations"]:
        seconds = max((line["seconds"] for line in lines if line["step"] <= each["step"]), default=0.0)
        values = {score["name"]: score["value"] for score in each["scores"]}
        found.append({"step": each["step"], "seconds": seconds, **values})
    return found
