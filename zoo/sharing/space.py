"""A run as a Space of the Hugging Face hub: the page of `zoo explore` with the run beside it, for anybody to open."""

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from zoo import __version__
from zoo.catalogue import dump_document
from zoo.errors import ZooError
from zoo.runs.checkpoints import step_of_checkpoint
from zoo.runs.directory import RunDirectory
from zoo.sharing.card import summary_of, title
from zoo.sharing.packing import Packing, pack, public_record
from zoo.training.run import Run

NAME, EXTRAS = "gan-zoo", "[cpu,explore]"
RUN = "run"  # the folder of the packed run
APP = f'''"""The page of `zoo explore` for the run in the folder `{RUN}`."""

from pathlib import Path

import zoo
from zoo.exploring.serving import appearance, page_of

page_of(zoo.load(Path(__file__).with_name("{RUN}"))).launch(**appearance())
'''


def write_space(run: Run, folder: Path, packing: Packing, requirement: str | None = None) -> Path:
    """Write a Space's files into a folder: the page, what it needs installed, its card, and the packed run.

    `requirement` is what pip installs there; by default this zoo, by its version or the repository that it came from.
    Raises ZooError for a run of points.
    """
    if not run.fields["samples"].is_image:
        raise ZooError("A Space shows images, and this run makes points. Push it without --space.")
    pack(run, folder / RUN, packing)
    (folder / "app.py").write_text(APP, encoding="utf-8")
    (folder / "requirements.txt").write_text(f"{requirement or installed_requirement()}\n", encoding="utf-8")
    steps = step_of_checkpoint(RunDirectory(folder / RUN).checkpoints.paths()[-1])
    record = public_record(run.record)
    head = {
        "title": title(record)[:60],
        "sdk": "gradio",
        "app_file": "app.py",
        "python_version": "3.12",
        "tags": ["gan", "gan-zoo"],
        **({"license": packing.license} if packing.license else {}),
    }
    text = f"---\n{dump_document(head).rstrip()}\n---\n\n# {title(record)}\n\n{summary_of(record, [], steps)}.\n"
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


def installed_requirement() -> str:
    """What pip installs to have this zoo: the repository and commit that it was installed from, else its version."""
    try:
        origin = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    if vcs := origin.get("vcs_info"):
        return f"{NAME}{EXTRAS} @ {vcs['vcs']}+{origin['url']}@{vcs['commit_id']}"
    return f"{NAME}{EXTRAS}=={__version__}"
