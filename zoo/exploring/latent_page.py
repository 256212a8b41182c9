"""The page of a generator of latents: sliders along directions, seeds, walks, and the projection of an image."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from zoo.base.conditions import parsed_condition
from zoo.base.films import WEBP, save_film
from zoo.base.pictures import as_rgb
from zoo.base.progress import Silent
from zoo.errors import ZooError
from zoo.exploring.latent_explorer import LatentExplorer, Point
from zoo.exploring.messages import heading, showing_errors
from zoo.exploring.pictures import figure, framed, pair, png
from zoo.training.directions import REACH
from zoo.training.projecting import Procedure

SEEDS = 24  # samples that the tab of seeds shows
LARGEST_SEED = 2**31 - 1
FRAMES = 24  # of a walk, from one seed to the next
LIVE: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last", "queue": False}
KINDS = {  # of directions, by how their names begin
    "towards": ("Towards a class", "Along which samples come to look like a class, as the real images' means show it."),
    "GANSpace": ("GANSpace", "Principal components of what an early layer answers."),
    "SeFa": ("SeFa", "Along which the first layer's weights change their answer most."),
    "Jacobian": ("Jacobian", "Along which the sample of seed 0 changes most."),
}


class LatentPage:
    """The page's controls, and what each of them does."""

    def __init__(self, explorer: LatentExplorer) -> None:
        self.explorer = explorer
        self.names = sorted(explorer.directions, key=lambda name: list(KINDS).index(name.split()[0]))

    def built(self) -> gr.Blocks:
        """The page."""
        first = Point(label=self.explorer.classes[0] if self.explorer.classes else None)
        sample, command = self.seen(first)
        with gr.Blocks(title=f"Explore {self.explorer.run.record['stack']}", analytics_enabled=False) as page:
            gr.Markdown(heading(self.explorer.run))
            self.latents = gr.State(None)
            with gr.Row():
                with gr.Column(scale=2, min_width=300, elem_id="seen"):
                    self.sample = gr.HTML(sample, elem_id="sample")
                    self.command = gr.Textbox(command, label="The same on the command line", interactive=False, lines=1)
                    save = gr.Button("Write the image and its latents into files", size="sm")
                    self.files = gr.File(
                        label="Files", file_count="multiple", visible=False, interactive=False, elem_id="files"
                    )
                with gr.Column(scale=3, min_width=300):
                    self.choices()
                    with gr.Tabs() as tabs:
                        self.tab_of_directions()
                        self.tab_of_seeds(tabs)
                        self.tab_of_walks()
                        self.tab_of_projection()
            self.controls = [
                self.latents, self.seed, self.label, self.truncate, self.psi, self.conditions, *self.sliders
            ]  # fmt: skip
            self.connect(save, tabs)
        return page

    def choices(self) -> None:
        """What holds for every tab: seed, class, truncation, other inputs."""
        with gr.Row():
            self.seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=LARGEST_SEED, min_width=120)
            self.another = gr.Button("Another seed", size="md", min_width=120)
            if self.explorer.classes:
                names = self.explorer.classes
                self.label: Any = gr.Dropdown(names, value=names[0], label="Class", min_width=160)
            else:
                self.label = gr.State(None)
        further = self.explorer.further_inputs
        if further:
            shapes = ", ".join(f"{name} ({shape[0] if shape else 1})" for name, shape in further.items())
            self.conditions: Any = gr.Textbox(
                "", label="Other inputs", info=f"Such as code=3 continuous=0.5,-1. There are: {shapes}."
            )
        else:
            self.conditions = gr.State("")
        if self.explorer.run.sampler.can_truncate:
            with gr.Row():
                self.truncate: Any = gr.Checkbox(False, label="Truncate", min_width=120)
                self.psi: Any = gr.Slider(
                    0.05, 1, value=0.7, step=0.05, label="Truncation", info="Less is more typical, less varied.",
                    visible=False,
                )  # fmt: skip
        else:
            self.truncate, self.psi = gr.State(False), gr.State(1.0)

    def tab_of_directions(self) -> None:
        """A slider for each direction."""
        self.sliders = []
        with gr.Tab("Directions"):
            self.reset = gr.Button("All to the middle", size="sm")
            kinds = list(dict.fromkeys(name.split()[0] for name in self.names))
            for kind in kinds:
                title, info = KINDS[kind]
                with gr.Accordion(title, open=kind == kinds[0]):
                    gr.Markdown(info)
                    for name in self.names:
                        if name.split()[0] == kind:
                            reach = 2 * REACH
                            self.sliders.append(gr.Slider(-reach, reach, value=0, step=0.25, label=name))
            if not self.names:
                gr.Markdown("This generator's latents have no directions.")

    def tab_of_seeds(self, tabs: Any) -> None:
        """Many samples at once, of which one is chosen."""
        with gr.Tab("Seeds", id="seeds"):
            gr.Markdown("Choose one to explore it.")
            with gr.Row():
                self.first_seed = gr.Number(0, label="From seed", precision=0, minimum=0, maximum=LARGEST_SEED)
                self.draw = gr.Button("Draw them", size="md")
            self.gallery = gr.Gallery(
                label="Samples of seeds",
                show_label=False,
                buttons=[],
                columns=6,
                allow_preview=False,
                object_fit="contain",
                format="png",
                elem_id="seeds",
                interactive=False,
                height="auto",
            )

    def tab_of_walks(self) -> None:
        """From one seed to the next."""
        with gr.Tab("Walk"):
            self.walk_seeds = gr.Textbox("0, 1, 2, 3", label="Seeds to walk between")
            self.loop = gr.Checkbox(True, label="Return to the first")
            self.walk = gr.Button("Walk")
            self.film = gr.HTML("", elem_id="film")
            self.frames = gr.State([])
            self.frame = gr.Slider(0, 1, value=0, step=1, label="Stop at a frame", visible=False)
            self.film_file = gr.File(label="The film", visible=False, interactive=False)

    def tab_of_projection(self) -> None:
        """The latents of an image."""
        with gr.Tab("Project"):
            self.image = gr.Image(
                type="filepath", image_mode=None, sources=["upload", "clipboard"], label="An image", height=220,
                format="png",
            )  # fmt: skip
            self.steps = gr.Slider(20, 1000, value=200, step=20, label="Steps", info="More come closer.")
            self.features = gr.Checkbox(True, label="Compare what a network sees, too, not pixels alone")
            self.project = gr.Button("Find its latents")
            self.projected = gr.HTML("", elem_id="projected")
            self.back = gr.Button("Back to the seed", size="sm", visible=False)

    def connect(self, save: Any, tabs: Any) -> None:
        """What happens when something is moved or pressed."""
        shown = [self.sample, self.command]
        moving = [
            *self.sliders,
            *(each for each in (self.label, self.psi, self.conditions) if movable(each)),
        ]
        moved = [each.input for each in moving]
        gr.on(moved, showing_errors(self.seen_of), self.controls, shown, api_name="sample", **LIVE)
        if movable(self.truncate):
            self.truncate.input(showing_errors(self.truncated), self.controls, [self.psi, *shown], **LIVE)
        fresh = [self.latents, self.back, *shown]
        self.seed.input(showing_errors(self.of_seed), self.controls, fresh, **LIVE)
        gr.on([self.another.click], showing_errors(self.next_seed), self.controls, [self.seed, *fresh], **LIVE)
        self.back.click(showing_errors(self.of_seed), self.controls, fresh, **LIVE)
        self.reset.click(showing_errors(self.to_the_middle), self.controls, [*shown, *self.sliders], **LIVE)
        self.draw.click(showing_errors(self.many), [self.first_seed, *self.controls], [self.gallery])
        self.gallery.select(showing_errors(self.chosen), [self.first_seed, *self.controls], [self.seed, *fresh], **LIVE)
        walked = [self.film, self.frames, self.frame, self.film_file]
        self.walk.click(showing_errors(self.walked), [self.walk_seeds, self.loop, *self.controls], walked)
        self.frame.input(showing_errors(self.stopped), [self.frames, self.frame], [self.film], **LIVE)
        found = [self.projected, *fresh, *self.sliders]
        values = [self.image, self.steps, self.features, *self.controls]
        self.project.click(showing_errors(self.found), values, found, show_progress_on=[self.projected])
        save.click(showing_errors(self.saved), self.controls, [self.files])

    def point(
        self, latents: Any, seed: Any, label: Any, truncate: bool, psi: float, text: str, *amounts: float
    ) -> Point:
        """What the controls say."""
        if seed is None or seed < 0:
            raise ZooError("A seed is a whole number from 0 on.")
        conditions = dict(map(parsed_condition, str(text).split()))
        moved = dict(zip(self.names, amounts, strict=True))
        return Point(int(seed), label, psi if truncate else None, conditions, moved, latents)

    def seen(self, point: Point) -> tuple[str, str]:
        """The sample of a point, and its command."""
        return figure(self.explorer.sample(point), described(point)), self.explorer.command(point)

    def seen_of(self, *controls: Any) -> tuple[str, str]:
        """The sample that the controls say."""
        return self.seen(self.point(*controls))

    def truncated(self, *controls: Any) -> tuple[Any, ...]:
        """The sample with or without a truncation, and the slider of how much."""
        point = self.point(*controls)
        return gr.update(visible=point.truncation is not None), *self.seen(point)

    def of_seed(self, _: Any, *controls: Any) -> tuple[Any, ...]:
        """The sample of the seed, whatever was projected before."""
        return None, gr.update(visible=False), *self.seen(self.point(None, *controls))

    def next_seed(self, latents: Any, seed: Any, *controls: Any) -> tuple[Any, ...]:
        """Those of a seed that was not seen yet."""
        drawn = int(np.random.default_rng().integers(LARGEST_SEED)) % 100_000
        return drawn, *self.of_seed(latents, drawn, *controls)

    def to_the_middle(self, *controls: Any) -> tuple[Any, ...]:
        """No direction is moved along."""
        rest = controls[: len(controls) - len(self.sliders)]
        return *self.seen(self.point(*rest, *[0.0] * len(self.sliders))), *[0] * len(self.sliders)

    def many(self, first: Any, *controls: Any) -> list[tuple[Any, str]]:
        """Samples of seeds that follow one another."""
        seeds = range(int(first or 0), int(first or 0) + SEEDS)
        made = self.explorer.samples(self.point(*controls), seeds)
        return [(picture(each), f"seed {seed}") for seed, each in zip(seeds, made, strict=True)]

    def chosen(self, event: gr.SelectData, first: Any, latents: Any, _: Any, *rest: Any) -> tuple[Any, ...]:
        """One of them; Gradio gives the event first."""
        number = int(first or 0) + int(event.index)
        return number, *self.of_seed(latents, number, *rest)

    def walked(self, text: str, loop: bool, *controls: Any) -> tuple[Any, ...]:
        """A film of a walk, its frames, and the slider that stops at one."""
        seeds = parsed_seeds(text)
        legs = len(seeds) if loop else len(seeds) - 1
        frames = self.explorer.walk(self.point(*controls), seeds, FRAMES * legs + (not loop), loop)
        path = Path(tempfile.mkdtemp(dir=upload_folder()), f"walk{WEBP}")
        save_film([picture(each) for each in frames], path)
        said = f"A walk between the samples of seeds {', '.join(map(str, seeds))}"
        film = framed(path.read_bytes(), "webp", frames.shape[2:0:-1], said)
        slider = gr.update(maximum=len(frames) - 1, value=0, visible=True)
        return film, [png(each) for each in frames], slider, gr.update(value=str(path), visible=True)

    def stopped(self, frames: Sequence[bytes], number: float) -> str:
        """One frame of the walk."""
        if not frames:
            return ""
        size = self.explorer.run.fields["samples"].shape[1::-1]
        return framed(frames[int(number)], "png", size, f"Frame {int(number)} of the walk")

    def found(self, progress: gr.Progress = gr.Progress(), *values: Any) -> tuple[Any, ...]:  # noqa: B008
        """An image's projection, from which the sliders now move; Gradio finds its progress as a default value."""
        image, steps, features, _, seed, *rest = values
        if image is None:
            raise ZooError("Choose an image first.")
        choice = rest[: len(rest) - len(self.sliders)]
        point = self.point(None, seed, *choice, *[0.0] * len(self.sliders))
        procedure = Procedure(int(steps), features=1.0 if features else 0.0, classes=point.label, seed=point.seed)
        found, given, made = self.explorer.project(Path(image), procedure, Shown(progress))
        distances = f"distance {found.distances[0]:.3f}, at first {found.first_distances[0]:.3f}"
        both = pair(given, made, ("given", f"found: {distances}"), f"The nearest sample: {distances}")
        reached = self.point(found.latents, seed, *choice, *[0.0] * len(self.sliders))
        return both, found.latents, gr.update(visible=True), *self.seen(reached), *[0] * len(self.sliders)

    def saved(self, *controls: Any) -> Any:
        """The image and its latents as files."""
        point, folder = self.point(*controls), Path(tempfile.mkdtemp(dir=upload_folder()))
        (folder / "explored.png").write_bytes(png(self.explorer.sample(point)))
        paths = [folder / "explored.png", self.explorer.save(point, folder)]
        return gr.update(value=[str(each) for each in paths], visible=True)


class Shown(Silent):
    """Progress on the page."""

    def __init__(self, show: Callable[..., Any]) -> None:
        self.show = show

    def counting(self, what: str, done: int, total: int) -> None:
        self.show((done, total), desc=what, unit="steps")


def movable(control: Any) -> bool:
    """Whether somebody can move it."""
    return not isinstance(control, gr.State)


def upload_folder() -> str:
    """Where the page's files lie until it is closed."""
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def picture(pixels: np.ndarray) -> Image.Image:
    """A uint8 image (H, W, C)."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else as_rgb(pixels))


def parsed_seeds(text: str) -> list[int]:
    """`0, 3 8` as numbers; raises ZooError for anything else, and for one alone."""
    words = text.replace(",", " ").split()
    if not all(each.isdecimal() for each in words) or len(words) < 2:
        raise ZooError(f"Expected two seeds or more, such as 0, 1, 2; received '{text}'.")
    return [int(each) for each in words]


def described(point: Point) -> str:
    """What a screen reader says of a sample."""
    of = "Sample of the projected image" if point.latents is not None else f"Sample of seed {point.seed}"
    parts = [of, *([f"class {point.label}"] if point.label is not None else [])]
    parts += [f"truncation {point.truncation:g}"] if point.truncation is not None else []
    return ", ".join([*parts, *(f"{name} {amount:+g}" for name, amount in point.moved.items())])
