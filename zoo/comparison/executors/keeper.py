"""Run as a program of its own: `python -I -S keeper.py PARENT COMMAND...` runs a command, and outlives no parent.

The command gets SIGTERM, once, when PARENT, the process that started this one, dies in whatever way. Linux could do so
without this process in between, but sends the signal again for each thread of a parent that dies, and a job takes a
second SIGTERM for an order to end without saving. Moreover Ray kills the processes that its workers started; here that
is the keeper, upon whose death the job saves. This file imports nothing of the zoo: it starts in some milliseconds.
"""

import os
import signal
import sys
from types import FrameType

PR_SET_PDEATHSIG = 1  # of Linux' prctl
POLL_SECONDS = 0.5  # between checks of whether the parent lives


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

    def poll(number: int, frame: FrameType | None) -> None:
        if os.getppid() != parent:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, poll)
    signal.signal(signal.SIGINT, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.setitimer(signal.ITIMER_REAL, POLL_SECONDS, POLL_SECONDS)
    status = os.waitpid(child, 0)[1]
    # No command is left to pass a signal on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGALRM})
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
    # A signal that arrives before the command has started waits until it can be passed on.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    end_as(keep(int(sys.argv[1]), sys.argv[2:]))
