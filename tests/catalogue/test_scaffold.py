import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import zoo
from zoo import hookspecs
from zoo.catalogue.scaffold import write_plugin
from zoo.errors import ZooError

OPTIONAL = re.compile(r"^# @hookimpl\n(?:# .*\n)+", re.MULTILINE)


def with_every_hook(text: str) -> str:
    """The plugin with its commented hooks uncommented."""
    text = OPTIONAL.sub(lambda found: re.sub(r"^# ", "", found[0], flags=re.MULTILINE), text)
    return text.replace("import Recipe, hookimpl", "import Recipe, ZooError, hookimpl")


def test_the_written_plugin_passes_its_own_test(folder: Path) -> None:
    write_plugin("cool_gan", folder)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_cool_gan.py"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout


def test_the_written_test_fails_for_a_generator_that_ignores_its_latents(folder: Path) -> None:
    plugin, _ = write_plugin("cool_gan", folder)
    text = plugin.read_text()
    plugin.write_text(text.replace("latents = x = keras.Input((recipe.latent_size,))", BLIND))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_cool_gan.py", "-k", "ring8"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert "assert (second[0] != second[1]).any()" in result.stdout
    assert "1 failed" in result.stdout


BLIND = "latents = keras.Input((recipe.latent_size,))\n    x = ops.zeros_like(latents)"


def test_every_commented_hook_works(folder: Path) -> None:
    plugin, _ = write_plugin("cool_gan", folder)
    plugin.write_text(with_every_hook(plugin.read_text()))
    run = zoo.run("cool_gan", dataset="ring8", plugins=[plugin], steps=1, out=folder / "run", progress=False)
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
