"""A Slurm of this machine alone, which starts at once whatever is submitted: sbatch, srun, scancel and sacct.

Each is this file under another name; what they know of jobs lies in files in their folder, by which a test can also
say what Slurm would: that a job was preempted, say.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

COMMANDS = ("sbatch", "srun", "scancel", "sacct")
FOLDER = Path(sys.argv[0]).parent


def install(folder: Path) -> None:
    """Put the commands into a folder, for the front of the path."""
    folder.mkdir()
    text = f"#!{sys.executable}\n{Path(__file__).read_text()}"
    for name in COMMANDS:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def sbatch(batch: str) -> None:
    """Starts the batch file in the background, unless it names a partition that there is not."""
    text = Path(batch).read_text()
    if "--partition=none" in text:
        sys.exit("sbatch: error: invalid partition specified: none")
    number = len(list(FOLDER.glob("*.batch"))) + 1
    (FOLDER / f"{number}.batch").write_text(text)
    run = f"bash {FOLDER}/{number}.batch; echo $? > {FOLDER}/{number}.code"
    environment = os.environ | {"SLURM_JOB_ID": str(number), "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen(["bash", "-c", run], env=environment, start_new_session=True, **quiet)
    print(f"Submitted batch job {number}")


def srun(*words: str) -> None:
    """Becomes the task, its output in the files that submitit asks for."""
    number = os.environ["SLURM_JOB_ID"]
    first = next(index for index, word in enumerate(words) if word == sys.executable)
    for stream, option in ((1, "--output"), (2, "--error")):
        name = words[words.index(option) + 1].replace("%j", number).replace("%t", "0")
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    (FOLDER / f"{number}.pid").write_text(str(os.getpid()))
    os.execv(sys.executable, words[first:])


def scancel(*words: str) -> None:
    """Signals the task; nothing of this Slurm is ever pending."""
    number = words[-1]
    if "--state=PENDING" in words:
        return
    if "--signal=TERM" not in words:
        (FOLDER / f"{number}.state").write_text("CANCELLED by 0")
    os.kill(int((FOLDER / f"{number}.pid").read_text()), signal.SIGTERM)


def sacct(*words: str) -> None:
    """The states of all jobs."""
    print("JobID|State|NodeList")
    for batch in FOLDER.glob("*.batch"):
        print(f"{batch.stem}|{state(batch.stem)}|here")


def state(number: str) -> str:
    """What a test or scancel said of a job, else what its exit code says."""
    said, code = FOLDER / f"{number}.state", FOLDER / f"{number}.code"
    if said.exists():
        return said.read_text()
    if not code.exists():
        return "RUNNING"
    return "COMPLETED" if int(code.read_text() or 0) == 0 else "FAILED"


if __name__ == "__main__":
    globals()[Path(sys.argv[0]).name](*sys.argv[1:])
