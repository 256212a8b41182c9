from collections.abc import Callable
from pathlib import Path

import pytest

import zoo
from zoo.health import findings

Words = Callable[..., list[str]]
BREAKS = """\
\"\"\"Breaks after three steps.\"\"\"

from keras import ops

from zoo import hookimpl


@hookimpl(wrapper=True)
def {hook}(step):
    loss = yield
    return loss * ops.where(step < 3, 1.0, {value})
"""


@pytest.mark.parametrize(
    ("hook", "value"), [("discriminator_loss", "float('nan')"), ("generator_loss", "float('inf')")]
)
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(
    hook: str, value: str, zoo_command, tiny_words: Words
):
    Path("breaks.py").write_text(BREAKS.format(hook=hook, value=value))
    words = tiny_words("--plugin", "breaks.py", "--steps", 20, "--checkpoint-every", 2, stack="vanilla+breaks")
    result = zoo_command(*words, "--out", "run")
    assert result.code == 1
    last = result.err.splitlines()[-1]
    assert last.startswith(f"Error: Training diverged at step 4: {hook} is {value[7:10]}")
    assert "the checkpoint of step 2 in run/checkpoints is kept" in last
    assert "--set generator_learning_rate=5e-05" in last
    assert "wgan-gp" in last
    run = zoo.load("run")
    assert run.sample(1).shape == (1, 8, 8, 1)
    assert [line["step"] for line in run.metrics] == [4]  # what ended it
    (finding,) = findings(run.metrics)
    assert (finding.name, finding.step) == ("non-finite", 4)
    assert finding.sentence == f"{hook} is {value[7:10]} at step 4."


def test_a_learning_rate_that_is_far_too_large_is_told(zoo_command, tiny_words: Words):
    rate = ["--set", "discriminator_learning_rate=1e30", "--set", "generator_learning_rate=1e30"]
    result = zoo_command(*tiny_words(*rate, "--steps", 50, "--out", "run"))
    assert result.code == 1
    assert "Error: Training diverged at step " in result.err
    assert "no checkpoint was written yet" in result.err
    assert "Traceback" not in result.err
    assert not list(Path("run").glob("checkpoints/*"))
