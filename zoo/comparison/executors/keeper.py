"""Run as a program of its own: `python -I -S keeper.py PARENT COMMAND...` runs a command, and outlives no parent.

The command gets SIGTERM, once, when PARENT, the process that started this one, dies in whatever way. Linux could do so
without this process in between, but sends the signal again for each thread of a parent that dies, and a job takes a
second SIGTERM for an order not to save. Moreover Ray kills what its workers started, without asking; here that meets
the keeper, from whose death the job learns. This file imports nothing of the zoo: it starts in some milliseconds.
"""

import os
import signal
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1  # of Linux' prctl
LOOK_SECONDS = 0.5  # between looks at whether the parent lives


def keep(parent: int, words: list[str]) -> int:
    """The wait status of the command, to which SIGINT is passed on.

    SIGTERM is not: what sends that to all processes, such as Slurm or a shutdown, has sent it to the command as well.
    """
    prctl = library_call()
    me, child = os.getpid(), os.fork()
    if child == 0:
        become(words, me, prctl)

    def pass_on(number: int, frame: FrameType | None) -> None:
        os.kill(child, number)

    def look(number: int, frame: FrameType | None) -> None:
        if os.getppid() != parent:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, look)
    signal.signal(signal.SIGINT, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
    status = os.waitpid(child, 0)[1]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM})  # there is none to pass it on to
    return status


def library_call() -> object:
    """The C library's prctl where there is one."""
    if sys.platform != "linux":
        return None
    import ctypes

    return ctypes.CDLL(None).prctl


def become(words: list[str], parent: int, prctl: object) -> None:
    """Be the command, with signals as a shell leaves them: Ray blocks SIGINT, a script's background job ignores it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if callable(prctl):
        prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it died before
        os.kill(os.getpid(), signal.SIGTERM)
    try:
        os.execvp(words[0], words)
    except OSError as error:
        print(f"{words[0]}: {error}", file=sys.stderr, flush=True)
        os._exit(127)  # a shell's code for it


def end_as(status: int) -> None:
    """End this process as the command ended."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        sys.exit(code)
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command has left its core already, if any
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
    os.kill(os.getpid(), -code)


if __name__ == "__main__":
    # A signal that comes before there is a command to pass it on to waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    end_as(keep(int(sys.argv[1]), sys.argv[2:]))
