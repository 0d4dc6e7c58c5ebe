"""Looks at processes through /proc."""
import ctypes
import os
import signal
import time

GUARDIAN = "bridge-guardian"
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Makes this process the parent of whatever the bridge leaves behind, so that nothing escapes the count."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def read_all():
    """{pid: (parent, state, name)} of all processes."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                name, rest = stat.read().split("(", 1)[1].rsplit(") ", 1)
        except OSError:
            continue  # it has just ended
        state, parent = rest.split()[:2]
        found[int(entry)] = (int(parent), state, name)
    return found


def below(pid, with_dead=False):
    """{pid: (parent, state, name)} of the processes below one."""
    everything = read_all()
    found, level = {}, {pid}
    while level:
        level = {one for one, (parent, _, _) in everything.items() if parent in level and one not in found}
        found.update((one, everything[one]) for one in level)
    return {one: what for one, what in found.items() if with_dead or what[1] not in "ZX"}


def kill_all_below(pid):
    """What a failed case has left must not be found by the next one."""
    while below(pid):
        for one in below(pid):
            try:
                os.kill(one, signal.SIGKILL)
            except OSError:
                pass  # it has just ended
        time.sleep(0.01)


def status_kib(pid, name):
    """VmRSS, VmSize or the like, in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":"))


def descriptors(pid):
    """What each open descriptor stands for, sockets and pipes without their numbers."""
    found = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{entry}").split(":[")[0])
        except OSError:
            pass  # closed meanwhile
    return sorted(found)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
