"""zoo new --project: its folder, what is refused, and its README's own commands on 16-bit images, from end to end."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from zoo import ZooError
from zoo.catalogue import read_catalogue
from zoo.catalogue.project import write_project
from zoo.cli import cli
from zoo.evaluation.classifier import Teaching, taught

STACKS = Path(__file__).parents[1] / "stacks"
HERE = """\
from zoo.comparison.executors.contract import Ended
from zoo.comparison.job import exit_code_of
from zoo.hookspecs import hookimpl


class Here:
    slots = 1

    def __init__(self):
        self.done = []

    def start(self, path):
        self.done.append(Ended(path, exit_code_of(path)))

    def ended(self):
        done, self.done = self.done, []
        return done

    def stop(self):
        pass

    close = stop


@hookimpl
def executor():
    return Here()
"""
TINY = {  # what is replaced in registry.yaml, for seconds instead of hours
    "width: 32": "width: 2",
    "batch_size: 32": "batch_size: 8",
    'variants: ["lungs-gan", "lungs-plain"]': 'variants: ["lungs-gan"]',
    "images: 200000": "images: 16",
    "seeds: 5": "seeds: 1",
    "evaluations: 4": "evaluations: 1",
    "samples: 1000": "samples: 16",
    "extractor: efficientnet-lite0": "extractor: pooling",
}
FURTHER = {  # what is added to the README's commands, for the same
    "run": "--images 16 --data-dir prepared",
    "evaluate": f"--samples 104 --extractor pooling --plugin {STACKS / 'pooling.py'} --data-dir prepared --json",
    "compare": f"--executor here --plugin here.py --plugin {STACKS / 'pooling.py'} --data-dir prepared",
    "augment": "--data-dir prepared --json",
    "classify": "--data-dir prepared --json",
    "data": "--data-dir prepared",
}


def short(*words: object, **options: object) -> object:
    """A classifier that hardly learns."""
    return taught(*words, **options, teaching=Teaching(steps=2, batch=4, width=2))


def invoked(*words: str) -> str:
    return CliRunner().invoke(cli, list(words), catch_exceptions=False, standalone_mode=False).stdout


def put_images(folder: Path) -> None:
    """Spots on a dark ground, in the 12 bits of a detector, of 40 x 36 pixels: few, and more of one class."""
    draw = np.random.default_rng(0)
    for split, counts in {"train": (20, 6), "test": (52, 52)}.items():
        for name, count in zip(("healthy", "ill"), counts, strict=True):
            for number in range(count):
                image = draw.integers(0, 600, (36, 40))
                image[10:18, 10:18] += 3400 if name == "ill" else 900
                image[0, 20] = 4095
                Image.fromarray(image.astype(np.uint16)).save(folder / "data" / split / name / f"{number}.png")


@pytest.mark.long
def test_the_commands_of_a_projects_readme_work_on_16_bit_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    invoked("new", "--project", "lungs", "--class", "healthy", "--class", "ill", "--image-size", "16")
    folder = tmp_path / "lungs"
    monkeypatch.chdir(folder)
    put_images(folder)
    (folder / "here.py").write_text(HERE)
    text = (folder / "registry.yaml").read_text()
    for usual, tiny in TINY.items():
        assert text.count(usual) == 1
        text = text.replace(usual, tiny)
    (folder / "registry.yaml").write_text(text)
    monkeypatch.setattr("zoo.evaluation.metrics.classification.taught", short)
    monkeypatch.setattr("zoo.evaluation.classifying.taught", lambda *words, **options: short(*words[:4], **options))

    commands = re.findall(r"^    zoo (.*)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [shlex.split(each)[0] for each in commands] == [
        "data",
        "data",
        "run",
        "evaluate",
        "compare",
        "augment",
        "classify",
        "classify",
    ]
    printed = [invoked(*shlex.split(each), *shlex.split(FURTHER[each.split()[0]])) for each in commands]

    assert "26 x (16, 16, 1)" in printed[0]
    assert "value 0 is black, 4095 white" in printed[0]
    assert {path.name for path in (folder / "reports").glob("*.png")} == {"data-test.png", "data-train.png"}
    assert (folder / "runs" / "first" / "run.yaml").exists()
    [evaluation] = json.loads(printed[3])
    assert {"cas", "real_accuracy"} < {score["name"] for score in evaluation["scores"]}
    comparison = json.loads((folder / "reports" / "comparison" / "comparison.json").read_text())
    assert [(cell["label"], cell["state"]) for cell in comparison["cells"]] == [("lungs-gan", "done")]
    assert (folder / "reports" / "comparison" / "report.html").exists()
    classes = json.loads(printed[5])["classes"]
    assert [(each["name"], each["real"], each["generated"]) for each in classes] == [("healthy", 20, 0), ("ill", 6, 14)]
    assert len(list((folder / "augmented" / "train").rglob("*.png"))) == 40
    assert len(list((folder / "augmented" / "test").rglob("*.png"))) == 104
    for text, trained in ((printed[6], (20, 6)), (printed[7], (20, 20))):
        counts = [(each["trained"], each["tested"]) for each in json.loads(text)["classes"]]
        assert counts == [(trained[0], 52), (trained[1], 52)]


def test_a_project_is_a_folder_for_each_class_and_entries_that_the_zoo_reads(folder: Path) -> None:
    project = write_project("mri-2", folder, image_size=32, channels=3)
    assert sorted(str(path.relative_to(project)) for path in project.rglob("*")) == [
        ".gitignore", "README.md", "data", "data/test", "data/test/negative", "data/test/positive", "data/train",
        "data/train/negative", "data/train/positive", "registry.yaml", "report.md", "reports",
    ]  # fmt: skip
    known = read_catalogue(directory=project)
    dataset = known.datasets["mri-2"]
    assert (dataset.path, dataset.image_size, dataset.channels) == (project / "data", 32, 3)
    assert known.benchmarks["mri-2"].variants == ("mri-2-gan", "mri-2-plain")
    assert {*known.benchmarks["mri-2"].variants} < {*known.variants}
    text = "".join(path.read_text() for path in project.iterdir() if path.is_file())
    assert "my_project" not in text
    assert not re.search(r"\b[A-Z]{4,}\b", text.replace("README", "").replace("TIFF", "").replace("JPEG", ""))
    assert [path.name for path in folder.iterdir()] == ["mri-2"]


@pytest.mark.parametrize("name", ["2024", "1e5", "true", "null", "0x10", "1.5"])
def test_a_name_that_yaml_would_read_as_something_else_is_a_name(name: str, folder: Path) -> None:
    assert name in read_catalogue(directory=write_project(name, folder)).datasets


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["../up"], "'../up' cannot be a project's name: a name is letters, digits, '-', '_' and '.', and begins with"),
        ([""], "'' cannot be a project's name: "),
        (["mnist"], "There is a dataset 'mnist' already (registry.yaml:"),
        (["fashion-mini"], "There is a dataset 'fashion_mini' already (registry.yaml:"),
        (["there"], "'there' exists already. Choose another name, or remove it."),
        (["a", "--class", "one"], "A project has two classes or more; received one."),
        (
            ["a", "--class", "x", "--class", "X"],
            "Two classes have one name: x, X. On some systems folders have no case.",
        ),
        (["a", "--class", "x", "--class", "y/z"], "'y/z' cannot be a class's name: a name is letters, digits"),
        (["a", "--class", "x", "--class", "Test"], "'Test' cannot be a class's name: folders of that name are splits."),
        (["a", "--image-size", "2"], "--image-size is 4 to 1024 pixels, not 2."),
        (["a", "--channels", "2"], "--channels is 1, 3 or 4, not 2."),
    ],
)
def test_what_can_be_no_project_is_told_and_nothing_is_written(
    words: list[str], message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "there").mkdir()
    with pytest.raises(ZooError) as raised:
        invoked("new", "--project", *words)
    assert str(raised.value).startswith(message)
    assert [path.name for path in folder.iterdir()] == ["there"]


def test_a_projects_options_mean_nothing_for_a_plugin() -> None:
    with pytest.raises(ZooError, match="--class, --image-size and --channels are a project's"):
        invoked("new", "my_gan", "--channels", "3")


def test_an_interrupted_project_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_project("lungs", folder)
    assert [*folder.iterdir()] == []
    assert write_project("lungs", folder).is_dir()
