"""The report of a diagnosis: an HTML page that loads nothing, and its charts as PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.base.files import atomic_file

PAGE = "report.html"


def write_report(found: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes report.html and a PNG for each chart, each atomically; returns their paths by name."""
    from zoo.diagnosis.report.charts import charts_of, make_printable  # Matplotlib and Jinja are slow to import
    from zoo.diagnosis.report.page import page

    paths = {}
    charts = charts_of(found)
    text = page(found, charts)  # before colours change
    for chart in charts:
        path = folder / f"{chart.name}.png"
        make_printable(chart)
        with atomic_file(path) as file:
            chart.figure.savefig(file, format="png", dpi=160, facecolor="white", bbox_inches="tight")
        paths[path.name] = path
    with atomic_file(folder / PAGE) as file:
        file.write(text.encode())
    return {PAGE: folder / PAGE, **paths}
