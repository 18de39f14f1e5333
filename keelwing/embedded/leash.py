"""A program that becomes another program which dies when its parent dies.

Run as a script (`python -I -S leash.py PARENT_PID SIGNAL UID GID COMMAND…`), it leaves root if asked to, asks the kernel to
be sent SIGNAL when its parent ends, and replaces itself by COMMAND. A script instead of a `preexec_fn`, because code
between fork and exec may deadlock in a parent with threads.

It knows nothing of Keelwing and imports only the standard library. On systems other than Linux there is no such request
to the kernel; there a child of a killed parent is found and stopped at the next start, or by hand.
"""

import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1
"""Number of the request in `prctl(2)`, from Linux' `include/uapi/linux/prctl.h`."""

PARENT_GONE = 125
"""Exit status when the parent ended before the request was in place; 125 as `env(1)` uses it for its own failures."""


def main(arguments: list[str]) -> NoReturn:
    """Become the command of the arguments, on a leash.

    Args:
        arguments: parent's process id, signal number, uid and gid (-1 to stay who we are), then the command, whose
            first word is a path.

    Raises:
        SystemExit: with `PARENT_GONE`.
        OSError: the account cannot be taken on or the command cannot be executed.
    """
    parent_pid, death_signal, uid, gid = (int(word) for word in arguments[:4])
    command = arguments[4:]
    if uid >= 0:
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After setuid: a change of user clears the request (prctl(2)).
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        sys.exit(PARENT_GONE)
    # Python ignores these two, and what is ignored stays ignored over an exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # A shell's background job ignores SIGINT; a server must hear its stop signals wherever it was started.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - there is no shell, and the caller names the program


if __name__ == "__main__":
    main(sys.argv[1:])
