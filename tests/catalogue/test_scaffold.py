import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from error_places import PLACE

import zoo
from zoo import hookspecs
from zoo.catalogue.scaffold import write_plugin
from zoo.errors import ZooError
from zoo.testing import check_plugin

OPTIONAL = re.compile(r"^# @hookimpl\n(?:# .*\n)+", re.MULTILINE)


def with_every_hook(text: str) -> str:
    """The plugin with its commented hooks uncommented."""
    text = OPTIONAL.sub(lambda found: re.sub(r"^# ", "", found[0], flags=re.MULTILINE), text)
    return text.replace("import Recipe, hookimpl", "import Network, Recipe, ZooError, hookimpl")


def test_the_written_test_is_one_line_and_the_written_plugin_passes_it(folder: Path) -> None:
    _, test = write_plugin("cool_gan", folder)
    statements = [line for line in test.read_text().splitlines() if line and not line.startswith(('"', "import"))]
    arguments = 'shapes=[(28, 28, 1), (2,)], settings={"cool_gan_units": 8}'
    assert statements == [f'test_contract = zoo.testing.contract("cool_gan.py", {arguments})']
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_cool_gan.py"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert result.returncode == 0, result.stdout
    assert re.search(r"^2\d passed, \d skipped in", result.stdout, re.MULTILINE), result.stdout


BROKEN = {  # what is replaced in the written plugin by what, and what its author is told
    "a loss that ignores its player": (
        "ops.softplus(-fake_logits)\n\n",
        "ops.softplus(-ops.stop_gradient(fake_logits))\n\n",
        "The generator's loss depends on none of its weights: its first gradient is zero. Plugin 'cool_gan', hook "
        "'generator_loss': compute it from the logits, without ops.stop_gradient or NumPy.",
    ),
    "an unseeded draw": (
        "return ops.softplus(-fake_logits)",
        "return ops.softplus(keras.random.normal(ops.shape(fake_logits)) - fake_logits)",
        "RuntimeError: keras.random without a seed can't be resumed. Pass it the hook's argument 'seed'",
    ),
    "Keras' flips at module level": (
        "\n\n@hookimpl\ndef generator_loss(",
        "\n\nFLIP = keras.layers.RandomFlip()\n\n\n@hookimpl\ndef augment(samples: Any) -> Any:\n"
        "    return FLIP(samples, training=True)\n\n\n@hookimpl\ndef generator_loss(",
        "is assigned here, where the write would be lost, or be in no checkpoint. Declare state in the hook "
        "'variables', move weights in the hook 'observe', put a layer that draws or counts into a model, and draw by "
        "the hook's 'seed'",
    ),
    "a trainable variable": (
        "\n\n@hookimpl\ndef generator_loss(",
        "\n\n@hookimpl\ndef variables() -> dict[str, keras.Variable]:\n    return {'scale': keras.Variable(1.0)}\n\n\n"
        "@hookimpl\ndef generator_loss(",
        "Plugin 'cool_gan', hook 'variables': 'scale' must be a keras.Variable(..., trainable=False); received a "
        "trainable variable. What a loss is to move belongs into a network: see the hook 'networks'.",
    ),
    "a generator that ignores its latents": (
        "latents = x = keras.Input((recipe.latent_size,))",
        "latents = keras.Input((recipe.latent_size,))\n    x = ops.zeros_like(latents)",
        "Plugin 'cool_gan' (stack 'cool_gan' on samples of shape (8, 8, 1)): expected every trainable weight to have "
        "moved after 3 steps; received no change of generator/",
    ),
    "a generator of another shape": (
        "keras.layers.Reshape(sample_shape)(x)",
        "keras.layers.Reshape((prod(sample_shape), 1, 1))(x)",
        "Plugin 'cool_gan', hook 'generator': must return samples of shape (8, 8, 1), received (64, 1, 1).",
    ),
    "a penalty that is not finite": (
        "\n\n@hookimpl\ndef generator_loss(",
        "\n\n@hookimpl\ndef generator_penalty(fake_samples: Any) -> Any:\n"
        "    return ops.mean(ops.log(0 * fake_samples))\n\n\n@hookimpl\ndef generator_loss(",
        "Plugin 'cool_gan' (stack 'cool_gan' on samples of shape (8, 8, 1)): expected every metric to be finite after "
        "3 steps; received ",
    ),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_the_contract_fails_for_a_plugin_with(mistake: str, folder: Path) -> None:
    plugin, _ = write_plugin("cool_gan", folder)
    right, wrong, message = BROKEN[mistake]
    text = plugin.read_text()
    assert right in text
    plugin.write_text(text.replace(right, wrong))
    with pytest.raises((ZooError, AssertionError)) as raised:
        check_plugin(plugin, shapes=[(8, 8, 1)], settings={"cool_gan_units": 8})
    assert message in PLACE.sub("", str(raised.value))
    assert "cool_gan" in str(raised.value)


def test_every_commented_hook_works(folder: Path) -> None:
    plugin, _ = write_plugin("cool_gan", folder)
    plugin.write_text(with_every_hook(plugin.read_text()))
    run = zoo.run(
        "cool_gan", dataset="ring8", plugins=[plugin], budget=zoo.Budget(steps=1), out=folder / "run", progress=False
    )
    last = {name: run.stack.implementations(name)[-1].plugin_name for name in hooks()}
    answered = {name for name, plugin in last.items() if plugin == "cool_gan"}
    assert answered == hooks().keys()


def test_the_written_plugin_explains_every_hook(folder: Path) -> None:
    text = with_every_hook(write_plugin("cool_gan", folder)[0].read_text())
    assert set(re.findall(r"^@hookimpl\ndef (\w+)", text, re.MULTILINE)) == hooks().keys()


def hooks() -> Mapping[str, object]:
    """Those that a run calls."""
    specs = {name: each for name, each in vars(hookspecs).items() if hasattr(each, f"{hookspecs.PROJECT}_spec")}
    return {name: each for name, each in specs.items() if name != "extractor"}


def test_both_files_have_the_name(folder: Path) -> None:
    plugin, test = write_plugin("cool_gan", folder)
    assert (plugin, test) == (folder / "cool_gan.py", folder / "test_cool_gan.py")
    for path in (plugin, test):
        text = path.read_text()
        assert "cool_gan" in text
        assert "my_gan" not in text
        assert "MyGan" not in text
        compile(text, path, "exec")
    assert "class CoolGanRecipe(Recipe):" in plugin.read_text()


@pytest.mark.parametrize("file", ["cool_gan.py", "test_cool_gan.py"])
def test_nothing_is_overwritten(folder: Path, file: str) -> None:
    (folder / file).write_text("precious")
    with pytest.raises(ZooError) as raised:
        write_plugin("cool_gan", folder)
    assert str(raised.value) == f"'{folder / file}' exists already. Choose another name, or remove the file."
    assert [path.name for path in folder.iterdir()] == [file]
    assert (folder / file).read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "cool-gan",
            "'cool-gan' cannot be a plugin's name: it takes letters, digits and '_', as a Python module's. "
            "Did you mean 'cool_gan'?",
        ),
        ("3d", "'3d' cannot be a plugin's name: it takes letters, digits and '_', as a Python module's."),
        ("class", "'class' cannot be a plugin's name: it takes letters, digits and '_', as a Python module's."),
        ("", "'' cannot be a plugin's name: it takes letters, digits and '_', as a Python module's."),
        (
            "../evil",
            "'../evil' cannot be a plugin's name: it takes letters, digits and '_', as a Python module's. "
            "Did you mean 'evil'?",
        ),
        ("random", "There is a Python module 'random' already, which random.py would hide. Choose another name."),
        ("numpy", "There is a Python module 'numpy' already, which numpy.py would hide. Choose another name."),
    ],
)
def test_a_name_that_cannot_be_a_plugins_is_refused(folder: Path, name: str, message: str) -> None:
    with pytest.raises(ZooError) as raised:
        write_plugin(name, folder)
    assert str(raised.value) == message
    assert not any(folder.iterdir())


@pytest.mark.parametrize(("name", "kind", "taken"), [("dcgan", "plugin", "dcgan"), ("wgan_gp", "plugin", "wgan_gp")])
def test_the_name_of_something_else_is_refused(folder: Path, name: str, kind: str, taken: str) -> None:
    with pytest.raises(ZooError) as raised:
        write_plugin(name, folder)
    assert re.fullmatch(
        rf"There is a {kind} '{taken}' already \(registry\.yaml:\d+\)\. Choose another name\.", str(raised.value)
    )


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ZooError, match=r"^Cannot write '.*absent/cool_gan\.py': No such file or directory\.$"):
        write_plugin("cool_gan", folder / "absent")
