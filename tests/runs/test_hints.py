"""Help that is whole and grouped, and hints for whoever knows other tools."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.catalogue import read_catalogue
from zoo.cli import cli
from zoo.cli.commands import COMMANDS, OPTIONS, summary
from zoo.cli.printing import next_commands
from zoo.errors import unknown
from zoo.recipe import Recipe


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "dcgan", "--batch-size", "32"], "It is a value of the recipe: --set batch_size=32"),
        (["run", "dcgan", "--batch-size=32"], "It is a value of the recipe: --set batch_size=32"),
        (["run", "dcgan", "--lr", "1e-3"], "--set generator_learning_rate=2e-4 --set discriminator_learning_rate=2e-4"),
        (["run", "dcgan", "--kimg", "25"], "Here it is: --images, in single images"),
        (["run", "dcgan", "--resume", "x"], "Here it is: --from RUN for another run's weights"),
        (["run", "dcgan", "--r1-gamma", "3"], "--set r1_gamma=3; zoo show STACK lists them."),
        (["sample", "x", "--num", "3"], "Here it is: --count"),
        (["train", "dcgan"], "No such command 'train'. Here it is 'run': zoo run dcgan"),
        (["fid", "runs/x"], "Here it is 'evaluate': zoo evaluate runs/x"),
        (["eval"], "Here it is 'evaluate': zoo evaluate --help"),
    ],
)
def test_words_of_other_tools_lead_to_the_right_ones(words: list[str], message: str, zoo_command) -> None:
    result = zoo_command(*words)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_every_hint_leads_to_something_that_there_is() -> None:
    options = {name for command in cli.commands.values() for each in command.params for name in each.opts}
    fields = set(vars(Recipe())) | {"r1_gamma", "penalty_weight"}
    for word, here in OPTIONS.items():
        assert here.split()[0].rstrip(",") in options, word
        for part in here.split("--set ")[1:]:
            assert part.partition("=")[0] in fields, word
    assert set(COMMANDS.values()) <= set(cli.commands)
    assert not set(COMMANDS) & set(cli.commands)


def test_summaries_are_whole_sentences_and_options_stand_in_groups(zoo_command) -> None:
    listed = " ".join(zoo_command("--help").out.split())
    for command in cli.commands.values():
        assert summary(command) in listed
    assert "..." not in listed.replace("[ARGS]...", "")
    text = zoo_command("run", "--help").out
    for title in ("Data:", "What is trained:", "Engine:"):
        assert f"\n{title}\n" in text


def test_a_wrong_name_has_the_suggestion_first_and_few_others() -> None:
    names = read_catalogue().plugins
    message = str(unknown("plugin", "dcgna", names))
    assert message.startswith("Unknown plugin: 'dcgna'. Did you mean 'dcgan'? Near it: ")
    assert message.endswith(f"`zoo list plugins` shows all {len(names)}.")
    assert len(message) < 200
    assert str(unknown("colour", "bleu", ["red", "blue"])) == (
        "Unknown colour: 'bleu'. Did you mean 'blue'? Available: blue, red."
    )


def test_what_comes_next_suits_the_run() -> None:
    summary = {"run": "runs/a", "inputs": ["latents"], "health": "healthy", "is_scored": False, "translates": False}
    longer = "zoo run a --steps 20"
    assert next_commands(summary, longer) == [
        "zoo sample runs/a --interpolate   # walk between samples",
        "zoo evaluate runs/a   # how good it is",
        "zoo run a --steps 20   # train on",
    ]
    ill = {**summary, "inputs": ["source"], "health": "collapsing", "is_scored": True, "translates": True}
    assert next_commands({**ill, "changing": []}, longer)[:2] == [
        "zoo diagnose runs/a   # what is wrong, and what to do",
        "zoo translate runs/a IMAGE --out translated.png   # an image of your own",
    ]
    changing = {**ill, "changing": ["--class", "T-shirt/top"], "is_scored": False}
    found = next_commands(changing, longer, " --data-dir ./my\\ data")
    assert found[0].startswith("zoo diagnose runs/a --data-dir ./my\\ data ")
    assert found[1].startswith("zoo translate runs/a IMAGE --class T-shirt/top --out translated.png ")
    assert found[3].startswith("zoo evaluate runs/a --data-dir ./my\\ data ")


def test_a_folder_is_taken_by_its_bare_name_and_described_before_it_is_prepared(
    working_directory: Path, zoo_command
) -> None:
    for label in ("cat", "dog"):
        (working_directory / "photos" / label).mkdir(parents=True)
        for number in range(3):
            pixels = np.full((8, 8, 3), 40 * number, np.uint8)
            Image.fromarray(pixels).save(working_directory / "photos" / label / f"{number}.png")
    result = zoo_command("data", "info", "photos", "--data-dir", "data")
    assert result.code == 0, result.err
    assert "photos: not prepared yet" in result.out
    assert "(8, 8, 3)" in result.out
    assert "cat, dog" in result.out
    assert not (working_directory / "data").exists()
    prepared = zoo_command("data", "prepare", "photos", "--data-dir", "data", "--split", "all")
    assert prepared.code == 0, prepared.err
    assert "picture" in zoo_command("data", "info", "photos", "--data-dir", "data").out
