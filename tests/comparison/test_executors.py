import importlib.util
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest imports tests from their files
import slurm_of_files

from zoo.catalogue import read_catalogue
from zoo.comparison.executors import devices
from zoo.comparison.executors.choice import ExecutorChoice, open_executor
from zoo.comparison.executors.contract import Ended, Executor, job_command
from zoo.comparison.executors.local import LocalExecutor, RemoteJob
from zoo.comparison.executors.ray import RayExecutor, connect, fitting
from zoo.comparison.executors.slurm import SlurmExecutor
from zoo.errors import ZooError, ZooWarning

SECONDS = 3600  # after which what came nowhere hangs, on however busy a machine
IMPATIENT = ((signal.SIGINT, 0.2), (signal.SIGINT, 0.2), (signal.SIGKILL, math.inf))
NEEDS = {"ray": "ray", "slurm": "submitit", "submitit": "submitit"}
# What jobs do; each gets its run directory.
BEGINNING = """
import json, os, signal, sys, time
from pathlib import Path
path = Path(sys.argv[1])
print("hello of", os.getpid(), flush=True)
"""
TELL = BEGINNING + '(path / "environment.json").write_text(json.dumps(dict(os.environ)))\n'
FAIL = BEGINNING + "sys.exit(3)\n"
KILL_ITSELF = BEGINNING + "os.kill(os.getpid(), signal.SIGKILL)\n"
SAVE = (
    BEGINNING
    + """
got = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: got.append(number))
(path / "writing").write_text(json.dumps([os.getpid(), os.getppid(), os.getsid(0)]))
(path / "writing").rename(path / "begun")
while not got:
    time.sleep(0.01)
time.sleep(0.5)  # saves; a second signal would be seen
(path / "saved").write_text(json.dumps(got))
sys.exit(130)
"""
)
DEAF = SAVE.replace("got.append(number)", "None")
Make = Callable[..., Executor]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.02)


def all_ended(executor: Executor, count: int = 1) -> list[Ended]:
    ended: list[Ended] = []
    until(lambda: ended.extend(executor.ended()) or len(ended) >= count)
    assert len(ended) == count
    return sorted(ended, key=lambda each: each.path)


def begun(path: Path) -> list[int]:
    """The ids of a job's process, of its keeper and of its session, once it can save."""
    until((path / "begun").exists)
    numbers: list[int] = json.loads((path / "begun").read_text())
    return numbers


def environment(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((path / "environment.json").read_text())
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], Callable[[Path], list[str]]]:
    """Makes the command of a job from a program's text."""

    def make(text: str) -> Callable[[Path], list[str]]:
        program = tmp_path / "program.py"
        program.write_text(text)
        return lambda path: [sys.executable, str(program), str(path)]

    return make


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[int], list[Path]]:
    """Makes run directories."""

    def make(count: int) -> list[Path]:
        paths = [tmp_path / f"run-{number}" for number in range(count)]
        for path in paths:
            path.mkdir()
        return paths

    return make


@pytest.fixture
def threads_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user has set no numbers of threads, as `make test` has."""
    for name in devices.THREADS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[str]:
    """The address of a Ray of this machine, started once; every RayExecutor of this process uses it."""
    ray = pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_USAGE_STATS_ENABLED"):  # Ray and the executor set them
            patch.setenv(name, "")
            del os.environ[name]
        with pytest.MonkeyPatch.context() as briefly:
            briefly.setattr(devices, "cores", lambda: 4)
            for name in devices.THREADS:  # which Ray's workers would have from this process
                briefly.delenv(name, raising=False)
            executor = RayExecutor(gpus=0)
        yield ray.get_runtime_context().gcs_address
        executor.close()


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a Slurm that is on the path."""
    submitit = pytest.importorskip("submitit", reason="submitit is not installed (the extra slurm)")
    submitit.SlurmJob.watcher.clear()  # it keeps the states of jobs by their numbers, which each of these begins with 1
    folder = tmp_path / "slurm-commands"
    slurm_of_files.install(folder)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture(params=["local", "ray", "submitit", "slurm"])
def make(request: pytest.FixtureRequest, tmp_path: Path, command) -> Iterator[Make]:
    """Makes an executor of two threads a job that runs a program; `submitit` is its executor for one machine."""
    kind: str = request.param
    if kind in NEEDS:
        pytest.importorskip(NEEDS[kind], reason=f"{NEEDS[kind]} is not installed (the extra {kind})")
    if kind in ("ray", "slurm"):
        request.getfixturevalue({"ray": "ray_cluster", "slurm": "slurm"}[kind])
    made: list[Executor] = []

    def executor(text: str, **options) -> Executor:
        options["command"] = command(text)
        made.append(an_executor(kind, tmp_path / "submitit", options))
        return made[-1]

    yield executor
    for each in made:
        each.stop()
        each.close()


def an_executor(kind: str, folder: Path, options: dict) -> Executor:
    if kind == "local":
        return LocalExecutor(jobs=2, threads=2, gpus=(), **options)
    if kind == "ray":
        return RayExecutor(cpus=2, gpus=0, **options)
    cluster = "local" if kind == "submitit" else None
    return SlurmExecutor(folder, cpus=2, jobs=2, cluster=cluster, poll_seconds=0.05, result_seconds=2, **options)


def test_jobs_run_and_their_logs_are_kept(make: Make, folders):
    executor, paths = make(TELL), folders(2)
    assert executor.slots == 2
    for path in paths:
        (path / "log.txt").write_text("of an earlier attempt\n")
        executor.start(path)
    assert all_ended(executor, 2) == [Ended(paths[0], 0), Ended(paths[1], 0)]
    assert executor.ended() == []
    for path in paths:
        first, second = (path / "log.txt").read_text().splitlines()
        assert first == "of an earlier attempt"
        assert second.startswith("hello of ")


def test_a_failing_exit_code_is_told_and_the_job_can_be_started_again(make: Make, folders):
    executor, (path,) = make(FAIL), folders(1)
    for _ in range(2):
        executor.start(path)
        assert all_ended(executor) == [Ended(path, 3)]
    assert len((path / "log.txt").read_text().splitlines()) == 2


def test_a_job_that_is_killed_is_told_with_its_signal(make: Make, folders):
    executor, (path,) = make(KILL_ITSELF), folders(1)
    executor.start(path)
    assert all_ended(executor) == [Ended(path, -signal.SIGKILL)]


def test_stopping_lets_every_job_save_and_tells_it_once(make: Make, folders):
    executor, paths = make(SAVE), folders(2)
    for path in paths:
        executor.start(path)
    processes = [begun(path)[0] for path in paths]
    executor.stop()
    assert not any(alive(process) for process in processes)
    assert all_ended(executor, 2) == [Ended(paths[0], 130), Ended(paths[1], 130)]
    assert [json.loads((path / "saved").read_text()) for path in paths] == [[signal.SIGINT]] * 2


def test_a_job_that_does_not_listen_is_killed_in_the_end(make: Make, folders):
    executor, (path,) = make(DEAF, escalation=IMPATIENT), folders(1)
    executor.start(path)
    begun(path)
    executor.stop()
    assert all_ended(executor) == [Ended(path, -signal.SIGKILL)]
    assert not (path / "saved").exists()


@pytest.mark.usefixtures("threads_unset")
def test_a_job_is_given_its_threads_unless_the_user_has_set_them(make: Make, folders, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=nowhere")
    executor, (path,) = make(TELL), folders(1)
    executor.start(path)
    assert all_ended(executor) == [Ended(path, 0)]
    found = environment(path)
    assert [found[name] for name in devices.THREADS] == ["7", "2", "2", "2", "2", "2"]
    assert found["XLA_FLAGS"] == "--xla_dump_to=nowhere"


def test_a_job_is_in_a_session_of_its_own_so_that_ctrl_c_reaches_the_scheduler_alone(make: Make, folders):
    executor, (path,) = make(SAVE), folders(1)
    executor.start(path)
    _, _, session = begun(path)
    assert session != os.getsid(0)


def gpus_of_jobs(executor: LocalExecutor, paths: Sequence[Path]) -> list[dict[str, str]]:
    for path in paths:
        executor.start(path)
    for path in paths:
        begun(path)
    executor.stop()
    return [environment(path) for path in paths]


TELL_AND_SAVE = TELL + SAVE.removeprefix(BEGINNING)


def test_a_local_job_sees_one_gpu_that_no_other_uses(command, folders):
    executor = LocalExecutor(gpus=("GPU-a", "GPU-b"), command=command(TELL_AND_SAVE))
    assert executor.slots == 2
    found = gpus_of_jobs(executor, folders(2))
    assert [each["CUDA_VISIBLE_DEVICES"] for each in found] == ["GPU-a", "GPU-b"]
    assert not any("TF_FORCE_GPU_ALLOW_GROWTH" in each for each in found)
    assert not any(map(devices.crowd, found))


def test_more_local_jobs_than_gpus_share_them_evenly_and_take_memory_as_they_need_it(
    command, folders, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "mine")
    executor = LocalExecutor(jobs=4, gpus=("0", "1"), command=command(TELL_AND_SAVE))
    assert executor.slots == 4
    found = gpus_of_jobs(executor, folders(4))
    assert sorted(each["CUDA_VISIBLE_DEVICES"] for each in found) == ["0", "0", "1", "1"]
    assert all(each["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false" for each in found)
    assert all(each["TF_FORCE_GPU_ALLOW_GROWTH"] == "mine" for each in found)
    assert all(devices.crowd(each).startswith(" 2 runs share this GPU") for each in found)


def test_a_gpu_that_a_job_has_left_is_the_next_ones(command, folders):
    executor, paths = LocalExecutor(gpus=("a", "b"), command=command(TELL_AND_SAVE)), folders(3)
    for path in paths[:2]:
        executor.start(path)
    os.kill(begun(paths[0])[0], signal.SIGTERM)
    assert all_ended(executor) == [Ended(paths[0], 130)]
    executor.start(paths[2])
    begun(paths[2])
    executor.stop()
    assert environment(paths[2])["CUDA_VISIBLE_DEVICES"] == "a"


@pytest.mark.parametrize(
    ("options", "cores", "slots", "threads"),
    [
        ({}, 8, 4, 2),
        ({}, 1, 1, 1),
        ({"jobs": 3}, 8, 3, 2),
        ({"jobs": 16}, 8, 16, 1),
        ({"threads": 5}, 8, 4, 5),
        ({"gpus": ("0", "1")}, 8, 2, 4),
        ({"gpus": ("0",), "jobs": 2}, 8, 2, 4),
    ],
)
def test_cores_are_divided_by_local_jobs(
    options: dict, cores: int, slots: int, threads: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(devices, "cores", lambda: cores)
    executor = LocalExecutor(**{"gpus": (), **options})
    assert (executor.slots, executor._threads) == (slots, threads)


@pytest.mark.parametrize(
    ("visible", "gpus"),
    [
        ("", ()),
        ("-1", ()),
        ("2", ("2",)),
        ("1, 0", ("1", "0")),
        ("GPU-a,MIG-b", ("GPU-a", "MIG-b")),
        ("0,-1,1", ("0",)),
    ],
)
def test_gpus_that_the_user_has_hidden_are_none(visible: str, gpus: tuple[str, ...]):
    assert devices.gpus({"CUDA_VISIBLE_DEVICES": visible}) == gpus


LISTING = """\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb-2)
  MIG 3g.20gb     Device  0: (UUID: MIG-cccc-3)
  MIG 3g.20gb     Device  1: (UUID: MIG-dddd-4)
GPU 2: NVIDIA H100 80GB HBM3 (UUID: GPU-eeee-5)
"""


@pytest.mark.parametrize(("code", "gpus"), [(0, ("GPU-aaaa-1", "MIG-cccc-3", "MIG-dddd-4", "GPU-eeee-5")), (9, ())])
def test_gpus_are_those_that_nvidia_smi_lists_and_a_divided_one_is_its_parts(
    code: int, gpus: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n[ $1 = -L ] && cat <<END\n{LISTING}END\nexit {code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert devices.gpus({}) == gpus


def test_the_default_command_is_this_pythons_and_the_zoos(tmp_path: Path):
    python, *words = job_command(tmp_path)
    assert python == sys.executable
    assert words[-3:] == ["-m", "zoo.comparison.job", str(tmp_path)]


# A scheduler that is killed: the name of an executor, an address, a program, and run directories.
SCHEDULER = """
import sys, time
from pathlib import Path
from zoo.comparison.executors.local import LocalExecutor
from zoo.comparison.executors.ray import RayExecutor
kind, address, program, *paths = sys.argv[1:]
command = lambda path: [sys.executable, program, str(path)]
if kind == "ray":
    executor = RayExecutor(address, cpus=2, gpus=0, command=command)
else:
    executor = LocalExecutor(jobs=2, command=command)
print(executor.slots, flush=True)
for path in paths:
    executor.start(Path(path))
while True:
    for ended in executor.ended():
        print(ended.exit_code, flush=True)
    time.sleep(0.05)
"""


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a scheduler of its own as a process."""
    processes = []

    def start(kind: str, address: str, text: str, *paths: Path) -> subprocess.Popen[str]:
        program = tmp_path / "program.py"
        program.write_text(text)
        words = [sys.executable, "-c", SCHEDULER, kind, address, str(program), *map(str, paths)]
        processes.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a job learns of its parent's death by its keeper alone")
@pytest.mark.parametrize("kind", ["local", "ray"])
def test_jobs_of_a_scheduler_that_is_killed_save_once_and_end(
    kind: str, scheduler, folders, request: pytest.FixtureRequest
):
    address = request.getfixturevalue("ray_cluster") if kind == "ray" else ""
    paths = folders(2)
    process = scheduler(kind, address, SAVE, *paths)
    jobs = [begun(path)[0] for path in paths]
    process.kill()
    for path, job in zip(paths, jobs, strict=True):
        until(lambda job=job: not alive(job))
        got = json.loads((path / "saved").read_text())
        # Ray may first ask its worker to end. A job saves on the first signal, and gives up on a second of its kind.
        assert got in [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]][: 1 if kind == "local" else 2]


def test_a_job_saves_when_its_keeper_is_killed(command, folders):
    executor, (path,) = LocalExecutor(jobs=1, gpus=(), command=command(SAVE)), folders(1)
    executor.start(path)
    job, keeper, _ = begun(path)
    os.kill(keeper, signal.SIGKILL)
    assert all_ended(executor) == [Ended(path, -signal.SIGKILL)]
    until(lambda: not alive(job))
    assert json.loads((path / "saved").read_text()) == [signal.SIGTERM]


def test_ctrl_c_while_local_jobs_are_stopped_hurries_them(command, folders, monkeypatch: pytest.MonkeyPatch):
    patient = ((signal.SIGINT, 10.0**9), (signal.SIGKILL, math.inf))
    executor, (path,) = LocalExecutor(jobs=1, gpus=(), command=command(DEAF), escalation=patient), folders(1)
    executor.start(path)
    begun(path)

    def interrupted(seconds: float) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("zoo.comparison.executors.local.time.sleep", interrupted)
    executor.stop()
    assert all_ended(executor) == [Ended(path, -signal.SIGKILL)]


def test_a_command_that_is_not_there_is_told_in_the_log(folders):
    executor, (path,) = LocalExecutor(jobs=1, gpus=(), command=lambda path: ["/no/such/python"]), folders(1)
    executor.start(path)
    assert all_ended(executor) == [Ended(path, 127)]
    assert "/no/such/python" in (path / "log.txt").read_text()


def test_a_remote_job_says_that_a_machine_lacks_the_run_directory(tmp_path: Path):
    outcome = RemoteJob.of(tmp_path / "missing", job_command, 1, {}, ()).run()
    assert outcome.exit_code is None
    assert f"has no folder {tmp_path / 'missing'}. Jobs are run on machines that share their folders" in outcome.reason


def test_a_remote_job_takes_working_directory_and_python_path_along_where_they_exist(
    command, folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (path,) = folders(1)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), "/no/such/folder"]))
    text = TELL + "(path / 'folder').write_text(os.getcwd())\n"
    remote = RemoteJob.of(path, command(text), 1, {"CUDA_VISIBLE_DEVICES": "3"}, ())
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.chdir("/")
    there = replace(remote, folder=path, words=("/no/such/python", *remote.words[1:]))
    assert there.run().exit_code == 0
    assert environment(path)["PYTHONPATH"] == str(tmp_path)
    assert environment(path)["CUDA_VISIBLE_DEVICES"] == "3"
    assert (path / "folder").read_text() == str(path)
    assert replace(there, folder=Path("/no/such/folder")).run().exit_code == 0
    assert (path / "folder").read_text() == "/"


def test_a_ray_worker_that_is_killed_is_told_and_its_job_saves(ray_cluster, command, folders, capfd):
    executor, (path,) = RayExecutor(cpus=1, gpus=0, command=command(SAVE)), folders(1)
    executor.start(path)
    job, keeper, _ = begun(path)
    os.kill(parent(keeper), signal.SIGKILL)
    assert all_ended(executor) == [Ended(path, None, "its Ray worker died or was killed")]
    until(lambda: not alive(job))
    assert json.loads((path / "saved").read_text()) == [signal.SIGTERM]
    assert capfd.readouterr() == ("", "")


def test_a_ray_job_that_waits_for_room_is_cancelled_before_it_begins(ray_cluster, command, folders):
    executor, paths = RayExecutor(cpus=4, gpus=0, command=command(SAVE)), folders(2)
    assert executor.slots == 1
    executor.start(paths[0])
    begun(paths[0])
    executor.start(paths[1])
    executor.stop()
    assert all_ended(executor, 2) == [Ended(paths[0], 130), Ended(paths[1], None, "it was cancelled before it began")]


def test_a_ray_machine_that_lacks_the_run_directory_is_named(ray_cluster, command, tmp_path: Path):
    executor = RayExecutor(cpus=1, gpus=0, command=command(TELL))
    executor.start(tmp_path / "missing")
    (ended,) = all_ended(executor)
    assert ended.exit_code is None
    assert f"has no folder {tmp_path / 'missing'}" in ended.reason


def test_ray_holds_as_many_jobs_as_its_machines_do_each_for_itself(ray_cluster):
    assert RayExecutor(cpus=1.5, gpus=0).slots == 2
    assert RayExecutor(cpus=0.5, gpus=0).slots == 8
    assert RayExecutor(cpus=0.5, gpus=0, jobs=3).slots == 3
    with pytest.warns(ZooWarning, match=r"has what a job needs \(CPU: 2, GPU: 1\). Jobs wait until one joins it."):
        assert RayExecutor(cpus=2, gpus=1).slots == 1
    machine = {"CPU": 8.0, "GPU": 2.0, "memory": 100.0}
    assert fitting(machine, {"CPU": 3, "GPU": 0, "memory": 0}) == 2
    assert fitting(machine, {"CPU": 1, "GPU": 0.1, "memory": 0}) == 8
    assert fitting(machine, {"CPU": 1, "GPU": 0.5, "memory": 50}) == 2
    assert fitting({"CPU": 8.0}, {"CPU": 1, "GPU": 1, "memory": 0}) == 0


def test_ray_is_reached_by_its_address(ray_cluster, scheduler, folders):
    (path,) = folders(1)
    process = scheduler("ray", ray_cluster, FAIL, path)
    assert process.stdout.readline() == "2\n"
    assert process.stdout.readline() == "3\n"


def test_starting_ray_leaves_sigterm_to_the_scheduler(ray_cluster):
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_ray_cluster_that_is_not_there_is_told_at_once(scheme: str):
    pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ZooError, match=rf"There is no connection to the Ray cluster '{address}': .*refused"):
            connect(address)


@pytest.mark.usefixtures("threads_unset")
def test_slurm_is_told_what_a_job_asks_for(slurm: Path, tmp_path: Path, command, folders):
    executor = SlurmExecutor(
        tmp_path / "submitit",
        partition="vision",
        minutes=30,
        cpus=3,
        gpus=1,
        memory_gb=12,
        parameters=("account=art", "--qos=high", "exclusive"),
        command=command(TELL),
        poll_seconds=0.05,
    )
    assert executor.slots == 32
    (path,) = folders(1)
    executor.start(path)
    assert all_ended(executor) == [Ended(path, 0)]
    batch = (slurm / "1.batch").read_text()
    wanted = ["partition=vision", "time=30", "cpus-per-task=3", "gpus-per-node=1", "mem=12GB", "signal=TERM@90"]
    for option in [*wanted, "no-requeue", "account=art", "qos=high", "exclusive"]:
        assert f"#SBATCH --{option}\n" in batch
    assert "srun --unbuffered" in batch
    assert " --cpus-per-task=3 " in batch.splitlines()[-1]
    assert (path / "slurm-job.txt").read_text() == "1\n"
    assert environment(path)["TF_NUM_INTRAOP_THREADS"] == "3"


def a_slurm(folder: Path, command: Callable[[Path], list[str]]) -> SlurmExecutor:
    return SlurmExecutor(folder, cpus=1, command=command, poll_seconds=0.05, result_seconds=0.2)


def test_a_slurm_job_that_is_preempted_or_out_of_time_saves_and_is_told_so(
    slurm: Path, tmp_path: Path, command, folders
):
    executor, (path,) = a_slurm(tmp_path / "submitit", command(SAVE)), folders(1)
    executor.start(path)
    begun(path)
    os.kill(int((slurm / "1.pid").read_text()), signal.SIGTERM)
    reason = "its place was taken away (SIGTERM): preempted, or out of time"
    assert all_ended(executor) == [Ended(path, 130, reason)]
    assert json.loads((path / "saved").read_text()) == [signal.SIGINT]


@pytest.mark.parametrize("state", ["PREEMPTED", "NODE_FAIL", "OUT_OF_MEMORY"])
def test_a_slurm_job_whose_machine_is_lost_is_told_with_its_state(
    state: str, slurm: Path, tmp_path: Path, command, folders, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zoo.comparison.executors.slurm.STATE_SECONDS", 0)
    executor, (path,) = a_slurm(tmp_path / "submitit", command(SAVE)), folders(1)
    executor.start(path)
    job = begun(path)[0]
    assert executor.ended() == []
    (slurm / "1.state").write_text(state)
    os.kill(int((slurm / "1.pid").read_text()), signal.SIGKILL)
    (ended,) = all_ended(executor)
    assert (ended.path, ended.exit_code) == (path, None)
    assert f"the Slurm job 1 ended as {state}; see {tmp_path / 'submitit'}" in ended.reason
    until(lambda: not alive(job))


def test_a_later_scheduler_takes_over_slurm_jobs_that_run_and_submits_none_twice(
    slurm: Path, tmp_path: Path, command, folders
):
    (path,) = folders(1)
    a_slurm(tmp_path / "submitit", command(SAVE)).start(path)
    job = begun(path)[0]
    later = a_slurm(tmp_path / "submitit", command(SAVE))
    later.start(path)
    os.kill(job, signal.SIGINT)
    assert all_ended(later) == [Ended(path, 130)]
    assert len(list(slurm.glob("*.batch"))) == 1
    (path / "begun").unlink()
    later.start(path)  # that one has ended, so this is a new job
    begun(path)
    later.stop()
    assert len(list(slurm.glob("*.batch"))) == 2


def test_a_mistake_in_slurms_options_ends_the_command_and_a_later_refusal_only_the_job(
    slurm: Path, tmp_path: Path, command, folders
):
    wrong = SlurmExecutor(tmp_path / "submitit", partition="none", command=command(TELL))
    paths = folders(2)
    with pytest.raises(ZooError, match=r"(?s)Slurm did not take the job: .*invalid partition specified: none"):
        wrong.start(paths[0])
    executor = a_slurm(tmp_path / "submitit", command(TELL))
    executor.start(paths[0])
    assert all_ended(executor) == [Ended(paths[0], 0)]
    (slurm / "sbatch").write_text("#!/bin/sh\necho the queue is full >&2\nexit 1\n")
    executor.start(paths[1])
    (ended,) = all_ended(executor)
    assert (ended.path, ended.exit_code) == (paths[1], None)
    assert "the queue is full" in ended.reason


@pytest.mark.parametrize(
    ("name", "missing", "sentence"),
    [
        ("ray", "ray", "Ray is not installed. Install it with pip install 'gan-zoo[ray]'."),
        ("slurm", "submitit", "submitit, which speaks to Slurm, is not installed: pip install 'gan-zoo[slurm]'."),
    ],
)
def test_an_executor_whose_library_is_missing_says_how_to_install_it(
    name: str, missing: str, sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == missing else found(name, *rest)
    )
    with pytest.raises(ZooError) as error:
        open_executor(ExecutorChoice(name), tmp_path, read_catalogue())
    assert str(error.value) == sentence


def test_slurm_is_asked_for_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    pytest.importorskip("submitit", reason="submitit is not installed (the extra slurm)")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ZooError, match="There is no sbatch on this machine's path"):
        open_executor(ExecutorChoice("slurm"), tmp_path, read_catalogue())


def test_an_executor_is_chosen_by_its_name_with_its_options(slurm: Path, ray_cluster, tmp_path: Path):
    catalogue = read_catalogue()
    local = open_executor(ExecutorChoice(jobs=3, threads=1), tmp_path, catalogue)
    assert (local.slots, local.threads) == (3, 1)
    ray = open_executor(ExecutorChoice("ray", cpus=0.5, gpus=0, jobs=5, memory_gb=0.1), tmp_path, catalogue)
    assert (ray.slots, ray.cpus, ray.gpus, ray.memory_gb) == (5, 0.5, 0, 0.1)
    choice = ExecutorChoice("slurm", cpus=3, gpus=1, memory_gb=8, partition="p", time_limit=9, slurm=("a=b",))
    made = open_executor(choice, tmp_path, catalogue)
    assert (made.folder, made.partition, made.minutes, made.cpus) == (tmp_path / "slurm", "p", 9, 3)
    assert (made.gpus, made.memory_gb, made.parameters) == (1, 8, ("a=b",))


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (ExecutorChoice("rya"), "Unknown executor: 'rya'. Did you mean 'ray'? Available: local, ray, slurm."),
        (
            ExecutorChoice("local", partition="vision"),
            "The executor local has no --partition, which is an option of slurm. It has: --jobs, --threads.",
        ),
        (
            ExecutorChoice("ray", threads=3),
            "The executor ray has no --threads, which is an option of local. "
            "It has: --jobs, --address, --cpus, --gpus, --memory-gb.",
        ),
        (
            ExecutorChoice("slurm", address="auto"),
            "The executor slurm has no --address, which is an option of ray. "
            "It has: --jobs, --cpus, --gpus, --memory-gb, --partition, --time-limit, --slurm.",
        ),
        (
            ExecutorChoice("local", memory_gb=3),
            "The executor local has no --memory-gb, which is an option of ray and slurm. It has: --jobs, --threads.",
        ),
        (ExecutorChoice("local", jobs=0), "--jobs must be above 0, not 0."),
        (ExecutorChoice("ray", cpus=-0.5), "--cpus must be above 0, not -0.5."),
        (ExecutorChoice("ray", gpus=-1), "--gpus must be 0 or more, not -1."),
        (
            ExecutorChoice("local", executor_option=("a=b",)),
            "The executor local has no --executor-option. It has: --jobs, --threads.",
        ),
        (ExecutorChoice("slurm", gpus=0.5), "--gpus must be a whole number for Slurm, not 0.5."),
    ],
)
def test_what_cannot_be_chosen_is_refused(choice: ExecutorChoice, sentence: str, tmp_path: Path):
    with pytest.raises(ZooError) as error:
        open_executor(choice, tmp_path, read_catalogue())
    assert str(error.value) == sentence


def test_an_option_of_sbatch_needs_a_name(slurm: Path, tmp_path: Path):
    with pytest.raises(ZooError, match="'=3' is no option of sbatch"):
        SlurmExecutor(tmp_path, parameters=("=3",))
