"""Runs of version 0.1 before fields had names: their directories, committed, are loaded, sampled and continued."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import ZooError
from zoo.runs.conversion import converted

EARLIER = Path(__file__).with_name("earlier")
SETTINGS = {
    "vanilla": ["generator_units=8", "discriminator_units=8,8", "batch_size=8", "average_decay=0.9"],
    "dcgan_r1": ["width=2", "latent_size=4", "batch_size=8"],
}
NOISE = ("bias", "moving_mean")
"""Before batch normalization a bias has a gradient of rounding alone, of which Adam makes whole steps."""
STACKS = {"vanilla": ("vanilla", "ring8"), "dcgan_r1": ("dcgan+r1", "fashion_mini")}


@pytest.fixture(params=STACKS)
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(EARLIER / request.param, tmp_path / request.param))


def continued(path: Path, data_dir: Path, *more: str, steps: int = 90) -> zoo.Run:
    stack, dataset = STACKS[path.name]
    settings = [*SETTINGS[path.name], *more]
    options = {"out": path, "monitoring": zoo.Monitoring(checkpoint_every=60), "progress": False}
    return zoo.run(stack, dataset=dataset, data_dir=data_dir, settings=settings, budget=zoo.Budget(steps), **options)


def test_an_earlier_run_gives_the_samples_that_it_gave(earlier: Path) -> None:
    with np.load(earlier / "expected.npz") as expected:
        samples = zoo.load(earlier).sample(8, seed=3)
        assert samples.dtype == expected["samples"].dtype
        np.testing.assert_allclose(
            samples.astype(float), expected["samples"].astype(float), atol=1 if samples.ndim == 4 else 1e-5
        )


@pytest.mark.filterwarnings("ignore:.*continues otherwise than it began")
def test_an_earlier_run_goes_on_as_it_would_have(earlier: Path, data_dir: Path) -> None:
    run = continued(earlier, data_dir)
    assert run.metrics[-1]["step"] == 90
    if earlier.name == "vanilla":  # a dense net draws other numbers as a graph, which it is in tests, than under XLA
        return
    with np.load(earlier / "after.npz") as after, np.load(run.directory.checkpoints.path(90)) as found:
        assert set(found.files) == set(after.files)
        for name in after.files:
            if after[name].dtype.kind == "f" and not any(each in name for each in NOISE):
                assert np.abs(found[name] - after[name]).mean() < 1e-3, name


@pytest.mark.filterwarnings("ignore:.*continues otherwise than it began")
def test_an_earlier_run_is_not_continued_with_a_value_that_it_did_not_have(earlier: Path, data_dir: Path) -> None:
    with pytest.raises(ZooError, match=r"recipe.generator_steps: None there, 2 here"):
        continued(earlier, data_dir, "generator_steps=2")


def test_an_earlier_conditional_run_of_somebodys_plugin_drew_its_labels_evenly() -> None:
    dataset = {"sample_shape": [8, 8, 1], "classes": 4, "scale": 1.0}
    theirs = converted({"dataset": dataset, "plugins": [{"name": "mine", "sha256": "0"}], "recipe": {"batch_size": 4}})
    assert theirs["recipe"] == {"fake_labels": "uniform", "batch_size": 4}
    assert theirs["fields"]["labels"]["frequencies"] == [0.25] * 4
    ours = converted({"dataset": dataset, "plugins": [{"name": "dcgan", "module": "zoo_plugins.dcgan"}], "recipe": {}})
    assert ours["recipe"] == {}
