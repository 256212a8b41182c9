"""Opens the page on this machine, and waits until it is interrupted."""

import gc
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Event
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.training.run import Run

if TYPE_CHECKING:
    import gradio as gr

HERE = "127.0.0.1"
FOLDER = "GRADIO_TEMP_DIR"
CALLING = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}  # nothing is told to anybody
STYLE = """
@media (min-width: 800px) { #seen { position: sticky; top: 12px; align-self: flex-start; } }
.sample { margin: 0; }
.sample img { width: 100%; max-width: 448px; height: auto; border-radius: 4px; }
.sample.small img { image-rendering: pixelated; }
.sample figcaption { margin-top: 4px; }
.pair { display: flex; gap: 12px; }
.pair .sample { flex: 1 1 0; min-width: 0; }
#seeds img { image-rendering: pixelated; }
"""


def check_installed() -> None:
    """Raise ZooError where Gradio is missing."""
    if find_spec("gradio") is None:
        raise ZooError("The page needs Gradio: pip install 'gan-zoo[explore]'. zoo export --format html needs nothing.")


def page_of(run: Run) -> "gr.Blocks":
    """The page of a run: of a generator of latents, or of one that translates images."""
    check_installed()
    os.environ.update(CALLING)
    with warnings.catch_warnings(action="ignore"):  # Gradio's, of its own insides
        page = built(run)
        gc.collect()  # what is left of its event loops would be told of later
    return page


def built(run: Run) -> "gr.Blocks":
    """The same, once Gradio may be imported."""
    if run.sampler.generating.reads_batch:
        from zoo.exploring.drawn_explorer import DrawnExplorer
        from zoo.exploring.drawn_page import DrawnPage

        return DrawnPage(DrawnExplorer(run)).built()
    from zoo.exploring.latent_explorer import LatentExplorer
    from zoo.exploring.latent_page import LatentPage

    return LatentPage(LatentExplorer(run)).built()


def appearance() -> dict[str, Any]:
    """How pages look, with the fonts of the machine alone."""
    import gradio as gr

    theme = gr.themes.Default(
        primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    readable, readable_dark = "*neutral_600", "*neutral_300"  # Gradio's own grays and accents are too light for text
    theme = theme.set(
        body_text_color_subdued=readable, body_text_color_subdued_dark=readable_dark,
        block_info_text_color=readable, block_info_text_color_dark=readable_dark,
        block_title_text_color=readable, block_title_text_color_dark=readable_dark,
        color_accent="*primary_700", color_accent_soft_dark="*primary_800",
        slider_color="*primary_700", slider_color_dark="*primary_400",
        checkbox_background_color_selected="*primary_700",
    )  # fmt: skip
    return {"theme": theme, "css": STYLE, "footer_links": []}


@contextmanager
def opened(run: Run, port: int | None = None, browser: bool = False) -> Iterator[str]:
    """The address of a run's page, which is open as long as the context lasts, to this machine alone.

    `port`: None is the first free one from 7860 on. Raises ZooError where it is taken, and where Gradio is missing.
    """
    with tempfile.TemporaryDirectory() as folder, files_in(folder):
        try:
            page = page_of(run)
            with warnings.catch_warnings(action="ignore"):
                _, address, _ = page.launch(
                    server_name=HERE, server_port=port, inbrowser=browser, prevent_thread_lock=True, quiet=True,
                    share=False, ssr_mode=False, **appearance(),
                )  # fmt: skip
        except OSError as error:
            raise ZooError(f"The port {port or 'wanted'} can't be used: {error}") from error
        try:
            yield address
        finally:
            page.close(verbose=False)


@contextmanager
def files_in(folder: str) -> Iterator[None]:
    """Has Gradio keep its files in a folder; its components ask for it when they are made."""
    before = os.environ.get(FOLDER)
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        os.environ.pop(FOLDER)
        os.environ.update({} if before is None else {FOLDER: before})


def wait() -> None:
    """Until Ctrl-C, or another signal."""
    Event().wait()
