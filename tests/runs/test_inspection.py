import json
from pathlib import Path

import keras
import pytest

import zoo
from zoo.catalogue.sources import shipped_registry
from zoo.cli import main

HOOKS = ["metrics", "extractors", "sources", "executors", "listeners"]
KINDS = ["variants", "plugins", "datasets", *HOOKS, "benchmarks", "pretrained"]
TINY = ["--set", "generator_units=8", "--set", "discriminator_units=8", "--set", "latent_size=4"]


def test_list_names_every_kind_and_json_holds_the_same(zoo_command):
    listed = zoo_command("list").out
    tables = json.loads(zoo_command("list", "--json").out)
    assert list(tables) == KINDS
    for kind, rows in tables.items():
        families = sorted({f", {row['family']}" if "family" in row else "" for row in rows})
        assert all(f"{kind}{family}\n  " in listed for family in families)
        for row in rows:
            assert row["name"] in listed
            assert row["summary"] in listed
            assert row["source"].startswith("zoo.pretrained:" if kind == "pretrained" else "registry.yaml:")
    variants = [row["name"] for row in tables["variants"]]
    assert variants[:6] == ["vanilla", "dcgan", "wgan", "wgan-gp", "wgan-mlp", "wgan-gp-mlp"]
    assert {"hinge", "cgan-projection", "pacgan", "r3gan", "pix2pix", "cyclegan"} <= set(variants)


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_can_be_listed_alone(kind: str, zoo_command):
    assert list(json.loads(zoo_command("list", kind, "--json").out)) == [kind]
    assert zoo_command("list", kind).out.startswith(kind)


def test_the_shipped_plugins_load_and_the_shipped_recipes_fit(zoo_command):
    result = zoo_command("list", "--check", "--json")
    assert result.code == 0
    assert json.loads(result.out)["problems"] == []
    assert "Every plugin loads, and every variant's recipe fits." in zoo_command("list", "--check").out


def test_show_reports_paper_sources_shapes_and_parameters(zoo_command):
    words = ["show", "vanilla+r1", "--dataset", "ring8", *TINY]
    described = json.loads(zoo_command(*words, "--json").out)
    assert described["stack"] == "vanilla+r1"
    assert "https://arxiv.org/abs/1406.2661" in described["plugins"][0]["summary"]
    assert "https://arxiv.org/abs/1801.04406" in described["plugins"][1]["summary"]
    assert described["plugins"][0]["when_to_use"].startswith("for points")
    losses = {(each["hook"], each["plugin"]): each["text"] for each in described["formulas"]}
    assert losses["discriminator_loss", "vanilla"].startswith("-log D(x) - log(1 - D(G(z)))")
    assert losses["discriminator_penalty", "r1"].startswith("Equation 9: gamma / 2 * E[|grad D(x)|^2]")
    recipe = described["recipe"]
    assert recipe["latent_size"] == {"value": 4, "source": "--set"}
    assert recipe["beta_1"] == {"value": 0.5, "source": "zoo default"}
    assert recipe["generator_objective"] == {"value": "non-saturating", "source": "vanilla"}
    file, line = recipe["dropout"]["source"].split(":")
    assert file == "registry.yaml"
    assert "dropout: 0.0" in shipped_registry().read_text().splitlines()[int(line) - 1]
    generator, discriminator = described["models"]["generator"], described["models"]["discriminator"]
    assert (generator["input"], generator["output"]) == ([4], [2])
    assert generator["parameters"] == (4 * 8 + 8) + (8 * 2 + 2)
    assert (discriminator["input"], discriminator["output"]) == ([2], [1])
    assert discriminator["parameters"] == (2 * 8 + 8) + (8 + 1)

    text = zoo_command(*words).out
    for expected in ("arxiv.org/abs/1801.04406", f"{file}:{line}", "[4] -> [2], 58 parameters", "samples (2,)"):
        assert expected in text


def test_doctor_reports_versions_devices_data_and_no_problem(zoo_command, data_dir: Path):
    assert zoo_command("show", "vanilla", "--dataset", "ring8", *TINY).code == 0
    result = zoo_command("doctor", "--json")
    report = json.loads(result.out)
    assert (result.code, report["problems"]) == (0, [])
    assert report["versions"]["keras"] == keras.__version__
    assert report["data_directory"] == str(data_dir)
    assert any("CPU" in device for device in report["devices"])
    assert "ring8" in [each["name"] for each in report["prepared"]]
    assert "celeba" in report["not_prepared"]
    assert report["free_bytes"] > 0
    text = zoo_command("doctor").out
    for expected in ("versions ", "backend    tensorflow", "devices ", str(data_dir), "problems   none"):
        assert expected in text


def test_doctor_names_a_broken_plugin(zoo_command):
    Path("broken.py").write_text("1 / 0\n")
    Path("registry.yaml").write_text("plugins: {broken: {file: broken.py}}\n")
    result = zoo_command("doctor")
    assert result.code == 1
    assert "Plugin 'broken' (./registry.yaml:1) cannot be loaded: ZeroDivisionError" in result.out


def test_help_and_version_need_nothing(zoo_command):
    assert zoo_command("--version").out == f"zoo, version {zoo.__version__}\n"
    for command in ("run", "list", "show", "sample", "new", "doctor", "completion"):
        assert command in zoo_command("--help").out
        assert "Examples:" in zoo_command(command, "--help").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_each_shell(shell: str, zoo_command):
    result = zoo_command("completion", shell)
    assert result.code == 0
    assert f"_ZOO_COMPLETE={shell}_complete" in result.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("zoo ru", {"run"}),
        ("zoo run wgan-g", {"wgan-gp", "wgan-gp-mlp"}),
        ("zoo run wgan_g", {"wgan_gp"}),
        ("zoo run dcgan+rp", {"dcgan+rpgan"}),
        ("zoo run dcgan+wgan+lab", {"dcgan+wgan+label_smoothing"}),
        ("zoo run dcgan --dataset fashion_m", {"fashion_mini", "fashion_mnist"}),
        ("zoo show va", {"vanilla"}),
        ("zoo list da", {"datasets"}),
    ],
)
def test_a_shell_completes_commands_stacks_and_datasets(
    words: str, expected: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("_ZOO_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    with pytest.raises(SystemExit) as ending:
        main([])
    assert ending.value.code == 0
    found = {each.removeprefix("plain,") for each in capsys.readouterr().out.split()}
    assert found >= expected
    assert all(each.startswith(words.rpartition(" ")[2]) for each in found)


def test_a_path_is_completed_by_the_shell_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("_ZOO_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "zoo run dcgan --dataset ./im")
    monkeypatch.setenv("COMP_CWORD", "4")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.startswith("file,")


def test_an_internal_error_is_reported_in_one_line_with_exit_code_1(zoo_command, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise RuntimeError("the moon is in the way")

    monkeypatch.setattr("zoo.catalogue.read_catalogue", broken)
    result = zoo_command("list")
    assert (result.code, result.out) == (1, "")
    (line,) = result.err.splitlines()
    assert line.startswith("Error: RuntimeError: the moon is in the way. This is not your mistake; repeat with --trace")
    with pytest.raises(RuntimeError):
        main(["--traceback", "list"])
