"""The reports of a diagnosis and of a run's health: an HTML page that loads nothing, and its charts as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.files import atomic_file

if TYPE_CHECKING:
    from zoo.diagnosis.report.charts import Chart

PAGE = "report.html"


def write_report(found: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Writes report.html of an experiment and a PNG for each chart; returns their paths by name."""
    from zoo.diagnosis.report.charts import charts_of  # Matplotlib and Jinja are slow to import
    from zoo.diagnosis.report.page import page

    charts = charts_of(found)
    return write_page(page(found, charts), charts, folder)


def write_page(text: str, charts: "Sequence[Chart]", folder: Path) -> dict[str, Path]:
    """Writes a page, and its charts, whose colours then are those of paper, each atomically."""
    from zoo.diagnosis.report.charts import make_printable

    paths = {}
    for chart in charts:
        path = folder / f"{chart.name}.png"
        make_printable(chart)
        with atomic_file(path) as file:
            chart.figure.savefig(file, format="png", dpi=160, facecolor="white", bbox_inches="tight")
        paths[path.name] = path
    with atomic_file(folder / PAGE) as file:
        file.write(text.encode())
    return {PAGE: folder / PAGE, **paths}
