"""The page of a generator that translates images: a drawing pad, a picture of one's own, examples of the test data."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import gradio as gr

from zoo.errors import ZooError
from zoo.exploring.drawn_explorer import DrawnExplorer, Target
from zoo.exploring.messages import heading, showing_errors
from zoo.exploring.pictures import pair
from zoo.training.html_export import PAGE
from zoo.training.names import SAMPLES
from zoo.training.translating import direction_to

PAD = 336  # pixels of a drawing pad's side, about
PAD_HTML = """
<canvas id="drawing" width="{width}" height="{height}" role="img" aria-label="A drawing pad, for a mouse, pen or finger;
examples and pictures need none" style="touch-action: none; cursor: crosshair; border: 1px solid #888;"></canvas>
<p><label>Width of the line <input id="line-width" type="range" min="1" max="8" step="0.5" value="1.5"></label>
<label {hidden}>Colour <input id="line-colour" type="color" value="{ink}"></label>
<button type="button" id="clear-drawing">Clear</button></p>
"""
PAD_SCRIPT = """
const pad = element.querySelector("#drawing"), width = element.querySelector("#line-width");
const colour = element.querySelector("#line-colour");
const pen = () => ({ colour: colour.value, width: Number(width.value) * FACTOR });
const drawing = drawingPad(pad, "GROUND", pen, () => { props.value = pad.toDataURL("image/png"); });
element.querySelector("#clear-drawing").addEventListener("click", drawing.clear);
"""
LIVE: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}
DRAWN, FILE, EXAMPLE = "drawing", "picture", "example"


class DrawnPage:
    """The page's controls, and what each of them does."""

    def __init__(self, explorer: DrawnExplorer) -> None:
        self.explorer = explorer
        height, width = explorer.translator(explorer.first).trained_size
        self.factor = max(1, PAD // max(height, width))
        self.size = (width * self.factor, height * self.factor)

    def built(self) -> gr.Blocks:
        """The page."""
        explorer, first = self.explorer, self.explorer.first
        with gr.Blocks(title=f"Explore {explorer.run.record['stack']}", analytics_enabled=False) as page:
            gr.Markdown(heading(explorer.run))
            with gr.Row():
                with gr.Column(min_width=300):
                    self.choices()
                    with gr.Tabs():
                        if explorer.examples:
                            with gr.Tab("Example"):
                                count = len(next(iter(explorer.examples.values())))
                                label = f"Row of the {explorer.run.held_out.split} data"
                                self.number = gr.Slider(0, count - 1, value=0, step=1, label=label)
                        with gr.Tab("Draw"):
                            self.pad = self.drawing_pad(explorer.ground(first))
                        with gr.Tab("Picture"):
                            self.image = gr.Image(
                                type="filepath", image_mode=None, sources=["upload", "clipboard"], label="A picture",
                                height=PAD, format="png",
                            )  # fmt: skip
                with gr.Column(min_width=300):
                    shown = self.made(explorer.example(0, first), first) if explorer.examples else ""
                    self.result = gr.HTML(shown, elem_id="result")
            self.last = gr.State((EXAMPLE, 0) if explorer.examples else None)
            self.connect()
        return page

    def choices(self) -> None:
        """To what images are translated."""
        explorer = self.explorer
        self.to: Any = gr.State(SAMPLES)
        if len(explorer.ways) > 1:
            names = [(direction_to(explorer.run.sampler, way).name, way) for way in explorer.ways]
            self.to = gr.Radio(names, value=SAMPLES, label="Direction")
        self.label: Any = gr.State(None)
        if explorer.classes:
            self.label = gr.Dropdown(explorer.classes, value=explorer.classes[0], label="Changed to the class")
        self.attributes: Any = gr.State([])
        if explorer.attributes:
            self.attributes = gr.CheckboxGroup(explorer.attributes, label="Attributes that the result is to have")
        self.from_samples: Any = gr.State(False)
        if explorer.has_tasks:
            self.from_samples = gr.Checkbox(False, label="Make the source of what is given first")

    def drawing_pad(self, ground: int) -> gr.HTML:
        """A pad whose value is the drawing's PNG as a data URL; Gradio's own editor told of no stroke when tried."""
        ink = "#000000" if ground else "#ffffff"
        has_colours = self.explorer.translator(self.explorer.first).given.shape[-1] >= 3
        template = PAD_HTML.format(
            width=self.size[0], height=self.size[1], ink=ink, hidden="" if has_colours else "hidden"
        )
        script = (PAGE / "pad.js").read_text(encoding="utf-8") + PAD_SCRIPT
        script = script.replace("GROUND", "#ffffff" if ground else "#000000").replace("FACTOR", str(self.factor))
        return gr.HTML("", html_template=template, js_on_load=script, elem_id="pad")

    def connect(self) -> None:
        """What happens when something is drawn, chosen or moved."""
        target = [self.to, self.label, self.attributes, self.from_samples]
        shown = [self.result, self.last]
        if self.explorer.examples:
            self.number.input(showing_errors(self.of_example), [self.number, *target], shown, **LIVE)
        self.pad.change(showing_errors(self.of_drawing), [self.pad, self.last, *target], shown, **LIVE, queue=False)
        self.image.upload(showing_errors(self.of_file), [self.image, *target], shown, **LIVE)
        moved = [each.input for each in target if not isinstance(each, gr.State)]
        if moved:
            gr.on(moved, showing_errors(self.again), [self.last, *target], shown, **LIVE)

    def target(self, to: str, label: str | None, attributes: list[str], from_samples: bool) -> Target:
        """What the controls say."""
        return Target(to, label, tuple(attributes), from_samples)

    def of_example(self, number: float, *target: Any) -> tuple[str, Any]:
        """A row of the test data, translated."""
        return self.again((EXAMPLE, int(number)), *target)

    def of_drawing(self, pad: Any, last: Any, *target: Any) -> tuple[Any, Any]:
        """The drawing, translated; a pad that nobody touched changes nothing."""
        if not pad:
            return gr.skip(), last
        return self.again((DRAWN, pad), *target)

    def of_file(self, image: str | None, *target: Any) -> tuple[str, Any]:
        """A picture, translated."""
        if image is None:
            raise ZooError("Choose a picture first.")
        return self.again((FILE, image), *target)

    def again(self, last: Any, *controls: Any) -> tuple[str, Any]:
        """What was shown last, translated as the controls say now."""
        target = self.target(*controls)
        if last is None:
            return "", None
        kind, what = last
        if kind == EXAMPLE:
            picture = self.explorer.example(what, target)
        elif kind == DRAWN:
            picture = self.explorer.drawn(b64decode(what.partition(",")[2]), target)
        else:
            picture = self.explorer.read(Path(what), target)
        return self.made(picture, target), last

    def made(self, picture: Any, target: Target) -> str:
        """What the network was given, and what it made of it."""
        given, made = self.explorer.translated(picture, target)
        label = "" if target.label is None else f", changed to {target.label}"
        return pair(given, made, (f"given: {picture.name}", f"made{label}"), f"What is made of {picture.name}{label}")
