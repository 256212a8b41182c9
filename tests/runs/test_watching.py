"""The states of runs, read from run directories alone, how `zoo watch` shows them, and what it must never do."""

import json
import os
import pty
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any

import filelock
import pytest
from rich.console import Console

import zoo
from zoo.cli.watch import live
from zoo.cli.watch_printing import Size, plain, screen
from zoo.watching import STATES, Budget, Pace, RunState, Scores, Watch
from zoo.watching import locks as kernel
from zoo.watching.locks import Locks, holders, read_locks, shared_devices
from zoo.watching.run_files import FileCache, budget_of

Command = Callable[..., Any]
JOB = {
    "format": 1,
    "label": "smooth",
    "stack": "dcgan",
    "dataset": "mnist",
    "seed": 3,
    "total_steps": 400,
    "minutes": None,
}
LOSSES = ["D", "/", "G", "loss"]  # the words of a title
IMAGES = 8  # images a step
OTHERS = {"generator_loss": 0.5, "generator_gradient_norm": 3.0}
UNSEEN = Locks(None, frozenset())  # the locks as read on other systems than Linux


@pytest.fixture
def copied(finished: zoo.Run, tmp_path: Path) -> Path:
    """A copy of the finished run, to write to, with the times of its files."""
    return Path(shutil.copytree(finished.path, tmp_path / "runs" / "copy"))


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Path]:
    """Makes the folder of a comparison's job, with whatever else lies there."""

    def make(name: str = "job", outcome: str = "", reason: str = "", **content: object) -> Path:
        path = tmp_path / "runs" / name
        path.mkdir(parents=True)
        (path / "job.json").write_text(json.dumps({**JOB, **content}))
        if outcome:
            content = {"format": 1, "state": outcome, "reason": reason, "attempts": 1}
            (path / "outcome.json").write_text(json.dumps(content))
        return path

    return make


def metrics(path: Path, lines: int, seconds: float = 2.0) -> None:
    """Lines of metrics.jsonl, one for each 50 steps, which take that many seconds."""
    each = [
        {
            "step": 50 * n,
            "images": 50 * IMAGES * n,
            "seconds": seconds * n,
            "discriminator_loss": 1 + n,
            "generator_loss": 0.5,
        }
        for n in range(1, lines + 1)
    ]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in each))


def evaluations(path: Path, values: dict[int, float], better: str = "lower", periodic: bool = True) -> None:
    """An evaluation.json with a score `kid` at each step, and one that decides nothing."""
    parts = {
        "real": {"fingerprint": "a", "count": 1, "sample_shape": [1]},
        "seed": 0,
        "extractor": None,
        "settings": {},
    }
    protocol = {**parts, "generated": {"count": 1, "weights": "raw", "batch_norm": "inference"}}
    first = {"name": "kid", "better": better, "protocol": protocol}
    each = [
        {
            "step": step,
            "periodic": periodic,
            "scores": [{**first, "value": value}, {**first, "name": "fd", "value": 0.0}],
        }
        for step, value in values.items()
    ]
    (path / "evaluation.json").write_text(json.dumps({"format": 1, "evaluations": each}))


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The run directory while a process trains there."""
    with filelock.FileLock(path / ".lock"):
        yield


def state(path: Path) -> str:
    """The state of the only run in a folder."""
    (run,) = Watch([path]).runs()
    return run.state


def row(label: str = "dcgan", state: str = "running", **more: Any) -> RunState:
    """A RunState for the table."""
    return RunState(Path("runs") / label, label, label, "mnist", more.pop("seed", 0), state, **more)


def drawn(runs: Sequence[RunState], width: int = 200, height: int = 50) -> list[str]:
    """What a terminal of that size shows."""
    console = Console(width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(screen(runs, "runs", Size(width, height)))
    lines = captured.get().splitlines()
    assert all(len(line) <= width for line in lines)
    assert len(lines) <= height
    return lines


def test_a_job_that_nobody_began_is_waiting(job: Callable[..., Path]):
    (run,) = Watch([job()]).runs()
    assert (run.label, run.stack, run.dataset, run.seed) == ("smooth", "dcgan", "mnist", 3)
    assert (run.state, run.step, run.total, run.share) == ("waiting", 0, 400, 0.0)


def test_a_run_is_running_as_long_as_its_lock_is_held(copied: Path):
    (copied / "generator.keras").unlink()
    with held(copied):
        assert state(copied) == "running"
    assert state(copied) == "stopped"


def test_a_run_that_reached_its_budget_is_done_until_it_trains_on(copied: Path, finished: zoo.Run):
    (run,) = Watch([copied]).runs()
    assert (run.label, run.stack, run.dataset, run.seed) == (
        "vanilla",
        "vanilla",
        finished.record["dataset"]["name"],
        0,
    )
    assert (run.state, run.step, run.total, run.share) == ("done", 60, 60, 1.0)
    later = time.time() + 10
    os.utime(max((copied / "checkpoints").iterdir()), (later, later))
    assert state(copied) == "stopped"


@pytest.mark.parametrize("outcome", ["done", "failed", "diverged"])
def test_the_outcome_of_a_job_is_shown_with_its_reason_until_it_is_tried_again(outcome: str, job: Callable[..., Path]):
    path = job(outcome=outcome, reason="the disk is full")
    (run,) = Watch([path]).runs()
    assert (run.state, run.reason) == (outcome, "" if outcome == "done" else "the disk is full")
    with held(path):
        (run,) = Watch([path]).runs()
    assert (run.state, run.reason) == ("running", "")


def test_a_job_without_a_lock_is_running_while_its_log_grows(job: Callable[..., Path]):
    path = job()
    (path / "log.txt").touch()
    assert state(path) == "running"  # the job reads data, or evaluates the best checkpoint
    os.utime(path / "log.txt", (1, 1))
    assert state(path) == "waiting"


def test_watching_never_keeps_a_run_from_starting(copied: Path):
    watch, stop = Watch([copied]), threading.Event()

    def poll() -> None:
        while not stop.is_set():
            watch.runs()

    watchers = [threading.Thread(target=poll) for _ in range(2)]
    for each in watchers:
        each.start()
    lock = filelock.FileLock(copied / ".lock")
    try:
        for _ in range(2000):
            lock.acquire(blocking=False)  # raises where the lock is held for a moment
            lock.release()
    finally:
        stop.set()
        for each in watchers:
            each.join()


def test_watching_writes_nothing(copied: Path, job: Callable[..., Path], tmp_path: Path):
    job(outcome="failed", reason="x")

    def files() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.rglob("*")}

    before = files()
    Watch([tmp_path]).runs()
    assert files() == before


def test_the_kernels_list_of_locks_is_read_by_device_and_inode():
    lines = ["1: FLOCK  ADVISORY  WRITE 8319 fe:0a:26 0 EOF", "1: -> FLOCK  ADVISORY  WRITE 9 fe:00:27 0 EOF"]
    lines += ["2: POSIX  ADVISORY  READ 5 00:0c:28 128 128", "3: OFDLCK ADVISORY  READ -1 00:06:29 0 EOF"]
    assert holders(lines) == {26: [(os.makedev(0xFE, 0x0A), 8319)]}


def test_a_lock_on_a_file_of_another_device_is_identified_by_the_files_that_its_process_has_open(tmp_path: Path):
    path = tmp_path / "file"
    path.touch()
    listed = {path.stat().st_ino: [(path.stat().st_dev + 1, os.getpid())]}
    assert Locks(listed, frozenset()).held(path) is False
    with path.open():
        assert Locks(listed, frozenset()).held(path) is True  # Btrfs lists another device


def test_on_a_file_system_of_several_machines_a_lock_that_is_not_seen_says_nothing(tmp_path: Path):
    (tmp_path / "file").touch()
    device = (tmp_path / "file").stat().st_dev
    mount = f"36 35 {os.major(device)}:{os.minor(device)} / /mnt rw,noatime shared:1 - nfs4 host:/export rw"
    local = "27 1 999:0 / / rw,relatime - ext4 /dev/vda rw"
    assert Locks({}, shared_devices([local, mount])).held(tmp_path / "file") is None
    assert Locks({}, shared_devices([local])).held(tmp_path / "file") is False


def test_without_a_list_of_locks_a_run_that_was_written_to_lately_is_running(
    copied: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(kernel, "HELD", tmp_path / "missing")
    assert read_locks() == UNSEEN
    assert state(copied) == "done"
    (copied / "generator.keras").unlink()
    (copied / "metrics.jsonl").touch()
    assert state(copied) == "running"
    for path in copied.iterdir():
        os.utime(path, (1, 1))
    assert state(copied) == "stopped"


def test_speed_losses_and_time_left_come_from_the_last_lines(job: Callable[..., Path]):
    path = job(total_steps=4000)
    metrics(path, 10)
    with held(path):
        (run,) = Watch([path]).runs()
    assert (run.step, run.share, run.images_per_second) == (500, 0.125, 25 * IMAGES)
    assert run.losses == {"discriminator_loss": 11, "generator_loss": 0.5}
    assert run.seconds_left == 3500 / 25


@pytest.mark.parametrize(
    ("given", "budget"),
    [
        ({"total_steps": 7}, Budget(7)),
        ({"total_steps": None, "minutes": 1.5}, Budget(None, 90)),
        ({"total_steps": None, "question": {"budget": {"minutes": 2}}}, Budget(None, 120)),
        ({"question": {"budget": {"steps": 9}}}, Budget(9)),
        ({"question": {"budget": {"epochs": 9}}}, Budget()),
    ],
)
def test_a_jobs_budget_is_known_before_it_begins(given: dict[str, object], budget: Budget):
    assert budget_of(given) == budget


def test_what_a_run_wrote_down_as_its_goal_is_its_total(job: Callable[..., Path]):
    path = job(total_steps=None)
    (path / "goal.json").write_text('{"steps": 1000, "seconds": null}')
    metrics(path, 5)
    (run,) = Watch([path]).runs()
    assert (run.total, run.share) == (1000, 0.25)


def test_a_budget_of_time_has_its_share_and_its_rest():
    budget, pace = Budget(seconds=120), Pace(step=10, seconds=30, steps_per_second=1)
    assert (budget.share(10, 30), budget.seconds_left(10, pace)) == (0.25, 90)
    both = Budget(steps=20, seconds=120)
    assert (both.share(10, 30), both.seconds_left(10, pace)) == (0.5, 10)


def test_only_the_end_of_long_metrics_is_read_and_only_when_they_change(job: Callable[..., Path]):
    path = job()
    metrics(path, 20_000)
    watch, reads = Watch([path]), []
    uncounted = watch.cache.get
    watch.cache.get = lambda file, read, *others, **options: uncounted(  # type: ignore[method-assign]
        file, counted(read, reads), *others, **options
    )
    assert watch.runs()[0].step == 1_000_000
    first = len(reads)
    watch.runs()
    assert len(reads) == first
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1000050, "images": 8000400, "seconds": 40002.0}\n{"step": 10001')
    assert watch.runs()[0].step == 1_000_050
    assert reads[first:] == [path / "metrics.jsonl"]  # for step and losses; health, which takes all of it, is to wait


def test_a_run_that_ended_long_ago_is_read_again_only_when_its_folder_changes_or_its_lock_is_held(copied: Path):
    os.utime(copied, (1, 1))
    watch, reads = Watch([copied]), []
    watch.runs()
    reading = watch.read
    watch.read = lambda *words: (reads.append(words), reading(*words))[1]  # type: ignore[method-assign]
    assert watch.runs()[0].state == "done"
    assert reads == []
    with held(copied):
        assert watch.runs()[0].state == "running"
    evaluations(copied, {50: 0.3})
    assert watch.runs()[0].scores is not None
    assert len(reads) == 2


def counted(read: Callable[[Path], Any], reads: list[Path]) -> Callable[[Path], Any]:
    """A read function that also records its calls."""

    @wraps(read)
    def reading(path: Path) -> Any:
        reads.append(path)
        return read(path)

    return reading


@pytest.mark.parametrize(("better", "best"), [("lower", (100, 0.1)), ("higher", (50, 0.3))])
def test_the_first_score_of_periodic_evaluations_is_last_and_best(
    better: str, best: tuple[int, float], job: Callable[..., Path]
):
    path = job()
    evaluations(path, {50: 0.3, 100: 0.1, 150: 0.2}, better)
    (run,) = Watch([path]).runs()
    assert run.scores == Scores("kid", better, last=0.2, best=best[1], best_step=best[0])
    evaluations(path, {50: 0.3}, better, periodic=False)
    assert Watch([path]).runs()[0].scores is None


def test_a_file_that_is_half_written_counts_as_it_was_before(job: Callable[..., Path]):
    path = job()
    watch = Watch([path])
    metrics(path, 2)
    evaluations(path, {50: 0.3})
    (before,) = watch.runs()
    for name in ("job.json", "evaluation.json"):
        (path / name).write_text((path / name).read_text()[:-9])
    assert watch.runs() == [before]
    (run,) = Watch([path]).runs()
    assert (run.label, run.state, run.scores) == ("job", "waiting", None)


def test_files_of_another_version_or_shape_are_passed_over(job: Callable[..., Path]):
    path = job(format=2, outcome="done")
    for text in ("[]", "7", '{"format": 1}', '{"format": 1, "state": ["done"]}', "\x00"):
        (path / "outcome.json").write_text(text)
        (path / "evaluation.json").write_text(text)
        (path / "metrics.jsonl").write_text(text + '\n{"step": 5}\n{"step": 5, "seconds": null, "images": "x"}\n')
        (run,) = Watch([path]).runs()
        assert (run.label, run.state, run.step) == ("job", "waiting", 0)


def test_runs_that_come_and_go_meanwhile_disturb_nothing(copied: Path, tmp_path: Path):
    stop, others = threading.Event(), tmp_path / "runs" / "others"

    def change() -> None:
        while not stop.is_set():
            shutil.copytree(copied, others)
            shutil.rmtree(others)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        watch = Watch([tmp_path / "runs"])
        assert {len(watch.runs()) for _ in range(150)} <= {1, 2}
    finally:
        stop.set()
        changing.join()
    watch.runs()
    assert all(copied in path.parents for path, _ in watch.cache.known)


def test_runs_are_found_at_any_depth_once_and_in_the_order_of_numbers(job: Callable[..., Path], tmp_path: Path):
    for name in ("b/10", "b/9", "a/deep/down/0", "b/.hidden/1", "b/9/inside"):
        job(name)
    (tmp_path / "runs" / "a" / "up").symlink_to(tmp_path)
    runs = Watch([tmp_path, tmp_path / "runs" / "b", Path("runs/b/9"), tmp_path / "missing"]).runs()
    assert [str(run.path.absolute().relative_to(tmp_path / "runs")) for run in runs] == ["a/deep/down/0", "b/9", "b/10"]


def test_a_plain_table_has_all_columns_and_rows(job: Callable[..., Path], zoo_command: Command):
    path = job("x/0", outcome="diverged", reason="generator_loss is\nnan \x1b[31m" + "long " * 50)
    metrics(path, 10)
    evaluations(path, {50: 0.31234567, 100: 0.4})
    for seed in range(100):
        job(f"y/{seed}", label="rough", seed=seed)
    result = zoo_command("watch")
    lines = result.out.splitlines()
    assert result.code == 0
    assert lines[0].split() == ["100", "waiting,", "1", "diverged", "runs"]
    assert lines[1].split() == [
        "run",
        "dataset",
        "seed",
        "state",
        "health",
        "step",
        "best",
        "last",
        "images/s",
        "D",
        "/",
        "G",
        "loss",
    ]
    assert lines[2].split() == [
        "smooth",
        "mnist",
        "3",
        "diverged",
        "healthy",
        "500/400",
        "0.3123",
        "0.4",
        "200",
        "11.000",
        "/",
        "0.500",
    ]
    assert len(lines) == 2 + 101 + 2
    assert lines[-2].startswith("smooth mnist 3 diverged: generator_loss is nan [31mlong long")
    assert lines[-2].endswith("long")
    assert lines[-1] == "best, last: kid, lower is better"


def test_json_has_what_the_table_has_and_more(job: Callable[..., Path], zoo_command: Command):
    path = job(outcome="failed", reason="x")
    evaluations(path, {50: 0.3})
    (run,) = json.loads(zoo_command("watch", "--json").out)
    assert run["path"] == "runs/job"
    assert (run["state"], run["reason"], run["total"], run["losses"]) == ("failed", "x", 400, {})
    assert run["scores"] == {"name": "kid", "better": "lower", "last": 0.3, "best": 0.3, "best_step": 50}


def test_the_health_of_a_run_is_said_in_a_word(job: Callable[..., Path], zoo_command: Command):
    path = job(outcome="done")
    metrics(path, 10)
    line = json.loads((path / "metrics.jsonl").read_text().splitlines()[-1])
    with (path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({**line, "step": 523, "generator_loss": float("nan")}) + "\n")
    (run,) = json.loads(zoo_command("watch", "--json").out)
    assert (run["health"], run["losses"]["generator_loss"]) == ("non-finite", None)
    assert "non-finite" in zoo_command("watch").out


def test_a_long_run_is_not_looked_at_again_before_its_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    clock, reads = [0.0], []
    monkeypatch.setattr("zoo.watching.run_files.time.monotonic", lambda: clock[0])

    def slow(path: Path) -> str:
        reads.append(clock[0])
        clock[0] += 2.0
        return path.read_text()

    def seen(text: str, **options: object) -> str:
        (tmp_path / "file").write_text(text)
        return cache.get(tmp_path / "file", slow, "", **options)

    cache = FileCache()
    assert seen("a", share=0.1) == "a"
    assert seen("ab", share=0.1) == "a"  # 18 seconds are to pass
    clock[0] = 19.0
    assert seen("abc", share=0.1) == "a"
    clock[0] = 20.0
    assert seen("abcd", share=0.1) == "abcd"
    assert seen("abcde") == "abcde"  # a run that has ended waits for nothing
    (tmp_path / "other").touch()
    for _ in range(2):
        assert cache.get(tmp_path / "file", slow, "", beside=("other",)) == "abcde"
    assert reads == [0.0, 20.0, 22.0, 24.0]  # the last since there is another file to look at


def test_a_folder_that_is_none_is_refused_with_those_that_are_here(job: Callable[..., Path], zoo_command: Command):
    result = zoo_command("watch")
    assert (result.code, result.err) == (
        2,
        "Error: No folder of runs: 'runs' does not exist. Available here: none; zoo run makes one.\n",
    )
    file = job() / "job.json"
    result = zoo_command("watch", "runs", file)
    assert result.err == f"Error: No folder of runs: '{file}' is a file. Available here: runs.\n"


def test_a_folder_without_runs_says_so(zoo_command: Command, tmp_path: Path):
    assert zoo_command("watch", "--once", tmp_path).out == f"No runs yet; zoo run makes one.   {tmp_path}\n"


def test_a_narrow_terminal_loses_columns_but_never_run_and_state():
    runs = [
        row(
            step=1200,
            total=20_000,
            share=0.06,
            seconds_left=75,
            images_per_second=12_345,
            losses={"discriminator_loss": 1, "generator_loss": 2},
            scores=Scores("kid", "lower", 0.25, 0.125, 100),
        )
    ]
    titles = [drawn(runs, width)[1].split() for width in (140, 80, 60, 40, 14)]
    start = ["run", "dataset", "seed", "state", "progress", "step", "left", "best", "last"]
    assert titles[0] == [*start, "images/s", *LOSSES]
    assert titles[1] == start
    assert all(set(narrower) < set(wider) for wider, narrower in pairwise(titles))
    assert titles[-1] == ["run", "state"]
    assert drawn(runs, 140)[2].split()[3:9] == ["running", "╸─────────", "1,200/20,000", "01:15", "0.125", "0.25"]


def test_a_long_name_loses_its_end_before_a_column_is_lost():
    runs = [row("vanilla,generator_objective=minimax,average_decay=0.999", step=500, total=20_000)]
    lines = drawn(runs, 70)
    assert lines[1].split() == ["run", "dataset", "seed", "state", "step"]
    assert lines[2].split() == ["vanilla,generator_objective=minim…", "mnist", "0", "running", "500/20,000"]
    assert len(lines[2]) == 70


def test_in_a_low_terminal_those_that_are_done_are_summed_up():
    runs = [row(f"run{n}", "done" if n % 2 else "running") for n in range(20)]
    assert len(drawn(runs, height=24)) == 22
    lines = drawn(runs, height=15)
    assert [line.split()[0] for line in lines[2:-1]] == [f"run{n}" for n in range(0, 20, 2)]
    assert lines[-1] == "not shown: 10 done (zoo watch --once prints all)"


@pytest.mark.parametrize("height", [5, 10, 20])
def test_what_failed_and_what_runs_is_shown_before_what_waits_however_many_there_are(height: int):
    runs = [row(f"run{n}", "waiting") for n in range(300)]
    runs += [row("bad", "failed", reason="because"), row("good", "running"), row("over", "done")]
    lines = drawn(runs, height=height)
    assert lines[0] == "1 running, 300 waiting, 1 failed, 1 done   runs"
    text = "\n".join(lines)
    assert "bad mnist 0 failed: because" in text
    assert ("good" in text) == (height > 5)
    assert "not shown: " in text


def test_runs_of_one_name_are_distinguished_by_their_folders():
    runs = [row("a"), row("a"), row("b")]
    assert [line.split()[:2] for line in drawn(runs)[2:]] == [["a", "(runs/a)"], ["a", "(runs/a)"], ["b", "mnist"]]


def test_scores_of_several_names_carry_them():
    runs = [row("a", scores=Scores("kid", "lower", 0.5, 0.25, 1)), row("b", scores=Scores("is", "higher", 2, 3, 1))]
    lines = plain(runs, "runs", Size()).splitlines()
    assert lines[2].split()[-4:] == ["kid", "0.25", "kid", "0.5"]
    assert lines[-1] == "best, last: is, higher is better; kid, lower is better"


def test_every_state_has_a_style_and_a_count():
    lines = drawn([row(state, state) for state in STATES])
    assert lines[0] == "1 running, 1 waiting, 1 stopped, 1 failed, 1 diverged, 1 done   runs"


def test_where_there_is_no_terminal_it_waits_for_the_end_and_prints_once(
    job: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    calls: list[bool] = []
    job()

    def until() -> bool:
        calls.append(True)
        return len(calls) == 3

    live([tmp_path], until=until)
    assert len(calls) == 3
    assert capsys.readouterr().out.count("smooth") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_in_a_terminal_it_shows_changes_and_a_signal_leaves_the_terminal_as_it_was(
    number: signal.Signals, code: int, job: Callable[..., Path], processes: Callable[..., Any]
):
    path = job()
    master, slave = pty.openpty()
    process = processes(["watch", "--every", "0.1"], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = read_until(master, "waiting")
    with held(path):
        shown += read_until(master, "running")
        process.send_signal(number)
        shown += read_until(master, None)
    assert process.wait() == code
    assert shown.count("\x1b[?1049h") == shown.count("\x1b[?1049l") == 1
    after = shown.partition("\x1b[?1049l")[2]
    assert "smooth" in after  # the last table stays
    assert "Traceback" not in after


def read_until(master: int, word: str | None) -> str:
    """The output of a terminal up to a word, or until its other end is closed."""
    text = ""
    while word is None or word not in text:
        try:
            text += os.read(master, 4096).decode(errors="replace")
        except OSError:  # closed
            return text
    return text
