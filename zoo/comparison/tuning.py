"""`zoo tune`: a search over recipe values, in which poor trials are pruned at a part of their budget.

Optuna (Akiba et al. 2019, https://arxiv.org/abs/1907.10902) suggests the values and decides which trials are pruned;
its storage is one file. A trial is a run that is trained in rungs: a part of the budget, its score, the next part.
Because runs continue bit for bit, a rung is an ordinary job, which any executor can run.
"""

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.base.files import write_json
from zoo.base.interrupts import Interrupted, stop_requests
from zoo.base.progress import Progress, as_progress
from zoo.catalogue import read_catalogue
from zoo.comparison.candidates import Candidate
from zoo.comparison.comparing import RETRIES, ComparisonOptions, begin, planned
from zoo.comparison.executors.choice import ExecutorChoice, check_choice, open_executor
from zoo.comparison.executors.contract import Ended, Executor
from zoo.comparison.job import DIVERGED, DONE, read_outcome
from zoo.comparison.plan import Cell, Plan
from zoo.comparison.rehearsal import rehearse
from zoo.comparison.scheduler import POLL_SECONDS, how_it_ended, write_job
from zoo.comparison.space import Dimension
from zoo.errors import ZooError
from zoo.evaluation.evaluation_file import EVALUATION, EvaluationFile

if TYPE_CHECKING:
    import optuna

TUNINGS = Path("tunings")
STORAGE = "study.log"
BEST = "best.json"
TRIALS, RUNGS = 20, 4
WHOLE = ("images", "steps")  # the budgets that are whole numbers
STATES = {DONE: "COMPLETE", "pruned": "PRUNED", DIVERGED: "FAIL", "failed": "FAIL"}


@dataclass
class Trial:
    """One set of recipe values, and the rung that it has reached."""

    number: int
    trial: "optuna.trial.Trial"
    cell: Cell
    rung: int = 0  # the rung in training, from 0
    tries: int = 0  # attempts at this rung


@dataclass
class Tuning:
    """Runs the trials of one study, as many at once as the executor has slots."""

    plan: Plan
    space: Sequence[Dimension]
    study: "optuna.Study"
    executor: Executor
    rungs: int
    retries: int  # further attempts at a job that failed
    progress: Progress
    running: dict[Path, Trial] = field(default_factory=dict)

    def run(self, trials: int) -> None:
        """Returns when the study has so many trials; after Ctrl-C saves all runs, and raises Interrupted."""
        waiting = self.unfinished()
        with stop_requests() as stop_request:
            while True:
                if stop_request.number is not None:
                    self.executor.stop()
                    raise Interrupted(stop_request.number, "Stopped; the same command continues.")
                while len(self.running) < self.executor.slots and (waiting or len(self.study.trials) < trials):
                    self.start(waiting.pop() if waiting else self.new_trial())
                for ended in self.executor.ended():
                    self.finish(ended)
                if not self.running and not waiting and len(self.study.trials) >= trials:
                    return
                time.sleep(POLL_SECONDS)

    def new_trial(self) -> Trial:
        """A new trial with the values that Optuna suggests."""
        trial = self.study.ask()
        found = self.trial_of(trial)
        trial.set_user_attr("settings", list(found.cell.candidate.settings))  # the rounded values that are trained with
        return found

    def trial_of(self, trial: "optuna.trial.Trial") -> Trial:
        """The trial with its run's cell and the rung that it has reached."""
        settings = tuple(each.suggested(trial) for each in self.space)
        stack = self.plan.candidates[0]
        candidate = Candidate(stack.stack, (*stack.settings, *settings))
        path = self.plan.folder / "runs" / f"{trial.number:04d}"
        cell = Cell(candidate, self.plan.datasets[0], self.plan.seeds[0], path)
        reported = self.study.trials[trial.number].intermediate_values
        return Trial(trial.number, trial, cell, rung=len(reported))

    def unfinished(self) -> list[Trial]:
        """The trials that an earlier, interrupted call left unfinished."""
        import optuna

        left = self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        return [self.trial_of(optuna.trial.Trial(self.study, each._trial_id)) for each in left]

    def start(self, trial: Trial) -> None:
        """Starts a job for the trial's next rung."""
        job = self.plan.job(trial.cell)
        job["question"] |= {
            "budget": part(self.plan.setup.budget, (trial.rung + 1) / self.rungs),
            "evaluations": 1,
            "rescore_best": False,
        }
        write_job(trial.cell.path, job)
        trial.tries += 1
        self.running[trial.cell.path] = trial
        self.executor.start(trial.cell.path)

    def finish(self, ended: Ended) -> None:
        """Handles the end of a rung's job: another attempt, the next rung, or the end of the trial."""
        trial = self.running.pop(ended.path)
        outcome = read_outcome(ended.path)
        if outcome is None or outcome["state"] not in (DONE, DIVERGED):
            if trial.tries <= self.retries:
                self.start(trial)
                return
            self.end(trial, "failed", outcome["reason"] if outcome else how_it_ended(ended))
        elif outcome["state"] == DIVERGED:
            self.end(trial, DIVERGED, outcome["reason"])
        else:
            self.report(trial)

    def report(self, trial: Trial) -> None:
        """Reports the rung's score to Optuna, then ends, prunes or continues the trial."""
        score = last_score(trial.cell.path)
        signed = -score["value"] if score["better"] == "higher" else score["value"]
        trial.trial.report(signed, trial.rung)
        trial.trial.set_user_attr("scores", [*trial.trial.user_attrs.get("scores", []), score["value"]])
        trial.rung, trial.tries = trial.rung + 1, 0
        message = f"{score['name']} {score['value']:.4g} at {trial.rung}/{self.rungs} of the budget"
        if trial.rung >= self.rungs:
            self.end(trial, DONE, message, signed)
        elif trial.trial.should_prune():
            self.end(trial, "pruned", message)
        else:
            self.start(trial)

    def end(self, trial: Trial, state: str, why: str, value: float | None = None) -> None:
        """Records the trial's end in the study, with its score, and prints it."""
        import optuna

        self.study.tell(trial.trial, value, state=optuna.trial.TrialState[STATES[state]])
        finished = sum(each.state.is_finished() for each in self.study.get_trials(deepcopy=False))
        values = " ".join(trial.cell.candidate.settings)
        self.progress.note(f"{state:<9} trial {trial.number} ({finished} finished): {values}: {why}")


def tune(
    options: ComparisonOptions,
    space: Sequence[Dimension],
    *,
    trials: int = TRIALS,
    rungs: int = RUNGS,
    seed: int = 0,
    retries: int = RETRIES,
    executor: ExecutorChoice | None = None,
    progress: Progress | bool = True,
) -> dict[str, Any]:
    """Searches for the recipe values with which one variant scores best on one dataset; returns trials and the best.

    The folder `options.out` holds the study and a run for each trial; the same call continues what was interrupted, and
    with more `trials` goes on. `seed` is that of every run. Raises ZooError for a mistake before anything is trained.
    """
    progress = as_progress(progress)
    check_numbers(trials, rungs)
    choice, catalogue = executor or ExecutorChoice(), read_catalogue([Path(each) for each in options.plugins])
    check_choice(choice, catalogue)
    named = replace(options, out=options.out or TUNINGS / "+".join(options.variants), seeds=1)
    plan = replace(planned(named, progress), seeds=[seed])
    if len(plan.candidates) != 1 or len(plan.datasets) != 1:
        raise ZooError("zoo tune takes one variant on one dataset. For several, see zoo compare.")
    if not (plan.folder / STORAGE).exists():
        try_out(plan, space, progress)
    begin(plan)
    study = opened_study(plan, space, rungs, seed)
    with contextlib.closing(open_executor(choice, plan.folder, catalogue)) as opened:
        Tuning(plan, space, study, opened, rungs, retries, progress).run(trials)
    found = result(study, plan)
    write_json(plan.folder / BEST, found)
    return found


def check_numbers(trials: int, rungs: int) -> None:
    """Raises ZooError for fewer than one trial or rung."""
    for name, value in (("--trials", trials), ("--rungs", rungs)):
        if value < 1:
            raise ZooError(f"{name} must be at least 1; received {value}.")


def try_out(plan: Plan, space: Sequence[Dimension], progress: Progress) -> None:
    """Raises ZooError where the recipe lacks a field, refuses a value, or no networks can be built with it."""
    stack, dataset, seed = plan.candidates[0], plan.datasets[0], plan.seeds[0]
    values = [f"{each.field}={value}" for each in space for value in each.choices or (each.low, each.high)]
    tried = [Candidate(stack.stack, (*stack.settings, value)) for value in values]
    rehearse([plan.job(Cell(each, dataset, seed, plan.folder)) for each in tried], progress)


def opened_study(plan: Plan, space: Sequence[Dimension], rungs: int, seed: int) -> "optuna.Study":
    """The study in the folder's file, new or continued; the sampler's seed depends on the number of trials so far."""
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError as error:
        raise ZooError("zoo tune needs Optuna: pip install 'gan-zoo[tune]'.") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(plan.folder / STORAGE)))
    known = {each.study_name: each for each in optuna.get_all_study_summaries(storage)}
    search = {"space": [list(map(str, vars(each).values())) for each in space], "rungs": rungs}
    if "zoo" in known and known["zoo"].user_attrs.get("asked") not in (None, search):
        raise ZooError(f"{plan.folder} holds a search over another space or other rungs. Choose another --out.")
    study = optuna.create_study(
        storage=storage,
        study_name="zoo",
        direction="minimize",  # scores of which higher is better are negated
        sampler=optuna.samplers.TPESampler(seed=seed + (known["zoo"].n_trials if "zoo" in known else 0)),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        load_if_exists=True,
    )
    study.set_user_attr("asked", search)
    return study


def part(budget: Mapping[str, float], share: float) -> dict[str, float]:
    """A share (0 to 1) of a budget, rounded up where it counts images or steps."""
    return {name: math.ceil(value * share) if name in WHOLE else value * share for name, value in budget.items()}


def last_score(path: Path) -> dict[str, Any]:
    """The deciding score of the last evaluation during training."""
    evaluations = [each for each in EvaluationFile(path / EVALUATION).read() if each["periodic"]]
    return dict(evaluations[-1]["scores"][0])


def result(study: "optuna.Study", plan: Plan) -> dict[str, Any]:
    """Every trial with its values and scores, and the best one (None where none is complete), JSON-ready."""
    rows = [
        {
            "trial": each.number,
            "state": each.state.name.lower(),
            "minimized": each.value,  # the last score, negated where higher is better
            "scores": each.user_attrs.get("scores", []),  # one score a rung
            "settings": dict(text.split("=", 1) for text in each.user_attrs.get("settings", [])),
        }
        for each in study.get_trials(deepcopy=False)
    ]
    finished = [row for row in rows if row["state"] == "complete"]
    best = min(finished, key=lambda row: row["minimized"], default=None)
    return {"variant": plan.candidates[0].stack, "dataset": plan.datasets[0], "best": best, "trials": rows}
