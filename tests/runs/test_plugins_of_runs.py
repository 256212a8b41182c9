import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import zoo

Words = Callable[..., list[str]]
HALVED = '''\
"""Half the loss."""

from zoo import hookimpl


@hookimpl(wrapper=True)
def generator_loss():
    loss = yield
    return {factor} * loss
'''
LONELY = '''\
"""Not a plugin at all."""

import nowhere_to_be_found
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin's file of this test alone: a module that is loaded stays loaded."""
    path = tmp_path / "halved.py"
    path.write_text(HALVED.format(factor="0.5"))
    return path


def test_a_plugin_file_is_kept_with_the_run_by_its_hash(plugin: Path, train: Callable[..., zoo.Run], tmp_path: Path):
    run = train(tmp_path / "run", steps=1, stack="vanilla+halved", plugins=[plugin])
    text = plugin.read_bytes()
    assert (run.path / "plugins" / "halved.py").read_bytes() == text
    assert run.record["plugins"][1] == {"name": "halved", "sha256": hashlib.sha256(text).hexdigest()}
    before = run.sample(3)
    plugin.unlink()
    assert (zoo.load(run.path).sample(3) == before).all()


def test_another_version_of_the_plugin_file_is_refused(plugin: Path, train: Callable[..., zoo.Run], tmp_path: Path):
    train(tmp_path / "run", steps=1, stack="vanilla+halved", plugins=[plugin])
    plugin.write_text(HALVED.format(factor="0.25"))
    with pytest.raises(zoo.ZooError, match=r"(?s)made differently:\n  plugins: .*'sha256'.* there, .*'sha256'.* here"):
        train(tmp_path / "run", steps=2, stack="vanilla+halved", plugins=[plugin])


FROZEN = """
import keras
import zoo
from pathlib import Path

@zoo.hookimpl
def networks(sample_shape):
    layer = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(float(Path({path!r}).read_text())))
    return {{"teacher": zoo.networks.Network(keras.Sequential([keras.Input((2,)), layer]), trained_with=None)}}
"""


def test_a_run_with_other_weights_of_a_frozen_network_is_refused(train: Callable[..., zoo.Run], tmp_path: Path):
    plugin, weights = tmp_path / "taught.py", tmp_path / "weights.txt"
    plugin.write_text(FROZEN.format(path=str(weights)))
    arguments = {"stack": "vanilla+taught", "plugins": [plugin]}
    weights.write_text("0.5")
    train(tmp_path / "run", steps=1, **arguments)
    weights.write_text("0.25")
    with pytest.raises(
        zoo.ZooError, match=r"made differently:\n  frozen_networks\.teacher: '\w+' there, '\w+' here\nRepeat"
    ):
        train(tmp_path / "run", steps=2, **arguments)
    weights.write_text("0.5")
    train(tmp_path / "run", steps=2, **arguments)


def test_a_run_goes_to_another_place_with_everything_it_needs(
    plugin: Path, train: Callable[..., zoo.Run], tmp_path: Path
):
    run = train(tmp_path / "run", steps=1, stack="vanilla+halved", plugins=[plugin])
    before = run.sample(3)
    plugin.unlink()
    shutil.move(run.path, tmp_path / "elsewhere")
    moved = zoo.load(tmp_path / "elsewhere")
    assert moved.stack.plugins["halved"].__file__ == str(tmp_path / "elsewhere" / "plugins" / "halved.py")
    assert (moved.sample(3) == before).all()


@pytest.fixture
def own_registry(plugin: Path) -> None:
    """A registry.yaml in the working directory, with a plugin that can't be imported."""
    (plugin.parent / "lonely.py").write_text(LONELY)
    (plugin.parent / "registry.yaml").write_text(
        "plugins:\n"
        "  halved: {file: halved.py}\n"
        "  lonely: {file: lonely.py}\n"
        "variants:\n"
        "  mild:\n"
        "    plugins: [vanilla, halved]\n"
        "    summary: Half of vanilla\n"
        "    recipe: {dropout: 0.125}\n"
    )


@pytest.mark.usefixtures("own_registry")
def test_a_variant_of_the_working_directory_is_shown_and_runs(zoo_command, tiny_words: Words):
    assert "Half of vanilla  [vanilla + halved]" in zoo_command("list", "variants").out
    shown = zoo_command("show", "mild", "--dataset", "ring8").out
    assert any(line.split() == ["dropout", "0.125", "./registry.yaml:8"] for line in shown.splitlines())
    result = zoo_command(*tiny_words("--steps", 1, "--out", "run", stack="mild"))
    assert result.code == 0, result.err
    assert result.err.count("Warning") == 0  # the broken plugin is none of its business


@pytest.mark.usefixtures("own_registry")
def test_a_broken_plugin_costs_one_warning_that_names_it_and_list_check_an_exit_code(zoo_command):
    listed = zoo_command("list", "plugins", "--check")
    assert listed.code == 1
    (line,) = (line for line in listed.out.splitlines() if "cannot be loaded" in line)
    assert line.startswith("Plugin 'lonely' (./registry.yaml:3) cannot be loaded: ModuleNotFoundError: ")
    assert "lonely.py:3" in line
    assert "  halved " in listed.out
    assert zoo_command("list").code == 0
    refused = zoo_command("show", "vanilla+lonely")
    assert refused.code == 2
    assert "Plugin 'lonely' (./registry.yaml:3) cannot be loaded" in refused.err


@pytest.mark.usefixtures("own_registry")
def test_a_plugin_whose_file_is_gone_costs_one_warning_and_the_rest_works(zoo_command):
    Path("lonely.py").unlink()
    listed = zoo_command("list")
    assert listed.code == 0
    (line,) = listed.err.splitlines()
    assert line.startswith("Warning: Plugin 'lonely' (./registry.yaml:3): file ")
    assert any(line.split()[:3] == ["lonely", "NOT", "FOUND"] for line in listed.out.splitlines())


def test_a_recipe_value_that_no_plugin_has_is_told_with_its_line(zoo_command, tiny_words: Words):
    Path("registry.yaml").write_text("variants:\n  mine:\n    plugins: [vanilla]\n    recipe:\n      droput: 0.5\n")
    listed = zoo_command("list", "--check")
    assert listed.code == 1
    for result, text in ((listed, listed.out), (ran := zoo_command(*tiny_words(stack="mine")), ran.err)):
        assert "./registry.yaml:5" in text
        assert "'droput'" in text
        assert "Did you mean 'dropout'?" in text
        assert "Traceback" not in result.err
    assert ran.code == 2


def test_a_new_plugin_trains_at_once(zoo_command):
    made = zoo_command("new", "my_gan")
    assert made.code == 0
    assert "zoo run my_gan --plugin my_gan.py" in made.out
    assert {path.name for path in Path().iterdir()} == {"my_gan.py", "test_my_gan.py"}
    words = ["--steps", 2, "--set", "my_gan_units=8", "--set", "batch_size=4"]
    result = zoo_command("run", "--plugin", "my_gan.py", "my_gan", *words)
    assert result.code == 0, result.err
    assert Path("runs/my_gan/fashion_mini/0/plugins/my_gan.py").read_bytes() == Path("my_gan.py").read_bytes()


def test_a_new_plugin_overwrites_nothing(zoo_command):
    Path("mine.py").write_text("mine")
    result = zoo_command("new", "mine")
    assert result.code == 2
    assert "'mine.py' exists already" in result.err
    assert Path("mine.py").read_text() == "mine"
    assert not Path("test_mine.py").exists()
