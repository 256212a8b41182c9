"""The report of a comparison: an HTML page, Markdown for a README, a CSV for spreadsheets, and the data as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.base.files import atomic_file
from zoo.base.plain_data import plain_json
from zoo.comparison.report.markdown import markdown_table

__all__ = ["markdown_table", "write_report"]


def write_report(comparison: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes report.html, report.md, scores.csv and comparison.json, each atomically; returns their paths by name.

    The same comparison and pictures give the same bytes. Pictures are read from below the folder.
    """
    from zoo.comparison.report.html import html  # imported here, since Matplotlib and Jinja are slow to import
    from zoo.comparison.report.markdown import markdown
    from zoo.comparison.report.scores_csv import scores_csv

    plain = plain_json(comparison)
    texts = {
        "report.html": html(plain, folder),
        "report.md": markdown(plain),
        "scores.csv": scores_csv(plain),
        "comparison.json": json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in texts}
    for name, path in paths.items():
        with atomic_file(path) as file:
            file.write(texts[name].encode(errors="backslashreplace"))  # a name that is no UTF-8; JSON reads it back
    return paths
