"""Commands whose help is option_group and whole, and that know what other tools call their options and themselves."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click
import cloup

from zoo.errors import near_names
from zoo.recipe import Recipe

# What other tools call an option, and what it is here: an option of the same command, or a value of the recipe.
OPTIONS = {
    "batch": "--set batch_size=64",
    "bs": "--set batch_size=64",
    "lr": "--set generator_learning_rate=2e-4 --set discriminator_learning_rate=2e-4",
    "learning_rate": "--set generator_learning_rate=2e-4 --set discriminator_learning_rate=2e-4",
    "glr": "--set generator_learning_rate=2e-4",
    "dlr": "--set discriminator_learning_rate=2e-4",
    "lr_scheduler": "--set learning_rate_schedule=cosine --set horizon=IMAGES",
    "warmup": "--set warm_up=10000",
    "beta1": "--set beta_1=0.5",
    "beta2": "--set beta_2=0.999",
    "ema": "--set average_decay=0.999",
    "gamma": "--set r1_gamma=1",
    "lambda_gp": "--set penalty_weight=10",
    "n_critic": "--set critic_steps=5",
    "ncritic": "--set critic_steps=5",
    "d_steps": "--set critic_steps=5",
    "nz": "--set latent_size=128",
    "z_dim": "--set latent_size=128",
    "latent_dim": "--set latent_size=128",
    "clip_grad": "--set gradient_clip_norm=1",
    "grad_clip": "--set gradient_clip_norm=1",
    "gradient_accumulation": "--set accumulation=2",
    "num_accumulation": "--set accumulation=2",
    "batch_gpu": "--set accumulation=2",
    "freezed": "--set freeze_discriminator=3",
    "freeze_d": "--set freeze_discriminator=3",
    "flip": "--set mirror=true",
    "cond": "--label NAME",
    "epoch": "--epochs",
    "num_epochs": "--epochs",
    "n_epochs": "--epochs",
    "max_epochs": "--epochs",
    "iters": "--steps",
    "iterations": "--steps",
    "max_steps": "--steps",
    "num_steps": "--steps",
    "niter": "--steps",
    "kimg": "--images, in single images",
    "resolution": "--image-size",
    "res": "--image-size",
    "img_size": "--image-size",
    "imsize": "--image-size",
    "data": "--dataset",
    "data_path": "--dataset",
    "dataroot": "--dataset",
    "data_root": "--dataset",
    "outdir": "--out",
    "output": "--out",
    "output_dir": "--out",
    "logdir": "--out",
    "gpus": "--devices",
    "gpu": "--devices",
    "ngpu": "--devices",
    "num_gpus": "--devices",
    "resume": "--from RUN for another run's weights; the same command goes on by itself",
    "pretrained": "--from RUN",
    "checkpoint": "--from RUN",
    "init_from": "--from RUN",
    "cfg": "--config",
    "amp": "--precision bfloat16",
    "fp16": "--precision bfloat16",
    "bf16": "--precision bfloat16",
    "mixed_precision": "--precision bfloat16",
    "metric": "--metrics",
    "fid": "--metrics fd --extractor inception",
    "kid": "--metrics kid",
    "early_stopping": "--patience",
    "eval_every": "--evaluate-every",
    "save_every": "--checkpoint-every",
    "snap": "--checkpoint-every",
    "trunc": "--truncation",
    "psi": "--truncation",
    "num": "--count",
    "num_samples": "--count",
    "n_samples": "--count",
    "seeds": "--seed",
    "cls": "--class",
    "ckpt": "--checkpoint",
}
COMMANDS = {  # what other tools call a command
    "train": "run",
    "fit": "run",
    "training": "run",
    "resume": "run",
    "finetune": "run",
    "eval": "evaluate",
    "fid": "evaluate",
    "kid": "evaluate",
    "score": "evaluate",
    "metrics": "evaluate",
    "calc_metrics": "evaluate",
    "test": "evaluate",
    "stats": "statistics",
    "generate": "sample",
    "gen": "sample",
    "gen_images": "sample",
    "samples": "sample",
    "dataset": "data",
    "datasets": "data",
    "prepare": "data",
    "download": "data",
    "dataset_tool": "data",
    "models": "list",
    "ls": "list",
    "info": "show",
    "summary": "show",
    "benchmark": "compare",
    "sweep": "tune",
    "search": "tune",
    "monitor": "watch",
    "debug": "diagnose",
    "env": "doctor",
    "init": "new",
}
FIELDS = tuple(Recipe.__dataclass_fields__)


class Command(cloup.Command):
    """A command whose summary is not cut, and that knows its options' other names."""

    def get_short_help_str(self, limit: int = 0) -> str:
        """The first sentence, whole."""
        return summary(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        typed = list(args)  # which parsing empties
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = option_hint(error.option_name, self, typed)
            if hint is None:
                raise
            raise click.UsageError(f"No such option '{error.option_name}'. {hint}", ctx) from error


class Group(cloup.Group):
    """A group of such commands that knows their other names."""

    command_class = Command

    def get_short_help_str(self, limit: int = 0) -> str:
        """The first sentence, whole."""
        return summary(self)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        here = COMMANDS.get(name.lower().replace("-", "_"))
        if name not in self.commands and here in self.commands:
            words = " ".join(args[1:2]) or "--help"
            raise click.UsageError(f"No such command '{name}'. Here it is '{here}': zoo {here} {words}", ctx)
        return super().resolve_command(ctx, args)


command: Callable[..., Any] = partial(cloup.command, cls=Command)


def summary(command: click.Command) -> str:
    """The first sentence of a command's help."""
    text = " ".join((command.help or "").partition("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".")


def option_hint(typed: str, command: click.Command, args: Sequence[str]) -> str | None:
    """What an option of other tools is in a command, in a sentence; None where nothing is known of it."""
    word = typed.lstrip("-").lower().replace("-", "_")
    options = {name for each in command.params for name in each.opts}
    here = OPTIONS.get(word)
    if word in FIELDS:
        here = f"--set {word}={value_after(typed, args)}"
    if here is not None and here.split()[0].rstrip(",") in options and here.split()[0] != typed:
        what = "It is a value of the recipe" if here.startswith("--set") else "Here it is"
        return f"{what}: {here}"
    if "--set" not in options or near_names(typed, options, 1):
        return None
    field = next(iter(near_names(word, FIELDS, 1)), word)
    return f"A value of the recipe is set so: --set {field}={value_after(typed, args)}; zoo show STACK lists them."


def value_after(option: str, args: Sequence[str]) -> str:
    """What was typed after an option, or VALUE."""
    for place, each in enumerate(args):
        name, equals, value = each.partition("=")
        if name == option:
            following = args[place + 1] if place + 1 < len(args) else "VALUE"
            return value if equals else (following if not following.startswith("-") else "VALUE")
    return "VALUE"


def option_group(title: str, options: Sequence[Any]) -> Callable[[Any], Any]:
    """Adds options to a command under a title of their own in its help."""
    decorate: Callable[[Any], Any] = cloup.option_group(title, *options)
    return decorate
