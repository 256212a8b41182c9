"""report.html of a diagnosis: one page that needs neither the network nor JavaScript, in the comparison's style."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from zoo.comparison.report.charts.svg import inline_svg
from zoo.comparison.report.html import environment, style_sheet
from zoo.diagnosis.report.charts import Chart, stages_of
from zoo.diagnosis.verdicts import overall

TEMPLATES = Path(__file__).parent / "templates"


def page(found: Mapping[str, Any], charts: Sequence[Chart]) -> str:
    """The content of report.html."""
    drawn = [(each, drawing(each, f"c{place}")) for place, each in enumerate(charts)]
    stages = [
        {
            "steps": steps,
            "charts": [(chart, svg) for chart, svg in drawn if chart.name.endswith(f"-{steps}")],
            "verdicts": [each for each in found["verdicts"] if each["trained"] == steps],
            "refused": [each for each in found["refused"] if each["trained"] == steps],
        }
        for steps in stages_of(found)
    ]
    named = [{"index": place, "name": name} for place, name in enumerate(found["objectives"])]
    measured = {each["objective"] for each in found["measurements"]}
    return environment(TEMPLATES).get_template("diagnosis.html.j2").render(
        found=found,
        stages=stages,
        overall=overall(found["verdicts"]),
        style=style_sheet(),
        objectives=[each for each in named if each["name"] in measured],
    )  # fmt: skip


def drawing(chart: Chart, key: str) -> Markup:
    """The figure as an inline SVG."""
    return inline_svg(chart.figure, key, chart.title, chart.description, chart.series)
