"""Children that do not outlive their parent. Standard library only."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def die_with_parent(sign: signal.Signals) -> None:
    """Ask the kernel to send this process the signal when the thread that started it ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, sign)


def tied_to_me(sign: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that ties a child to the calling process; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    libc = ctypes.CDLL(None)  # loaded before the fork: the child must not

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, sign)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return tie
