"""Looks at processes through /proc. On systems without it nothing is found, and so nothing is said about leaks."""
import os


def _stat(pid):
    """(parent, state, start time), or None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()  # the name before it may hold anything
    except OSError:
        return None
    return int(fields[1]), fields[0], fields[19]


def _all():
    try:
        return {int(name): stat for name in os.listdir("/proc") if name.isdigit() and (stat := _stat(name))}
    except OSError:
        return {}


def descendants(pid):
    """Children, their children and so on, as {pid: start time}: a pid alone may be given to another process later."""
    processes, found, level = _all(), {}, {pid}
    while level:
        level = {child for child, stat in processes.items() if stat[0] in level and child not in found}
        found.update((child, processes[child][2]) for child in level)
    return found


def marked(mark):
    """Processes that inherited the environment entry mark (bytes), even where their parents are gone."""
    found = {}
    for pid, stat in _all().items():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found[pid] = stat[2]
        except OSError:
            pass  # another user's, or gone meanwhile
    return found


def alive(processes):
    """Those that still run. A zombie does not: it waits for init, which may be slow."""
    return [pid for pid, start in processes.items() if (stat := _stat(pid)) and stat[2] == start and stat[1] != b"Z"]


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return "?"


def ignores(pid, number):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            mask = next(line.split()[1] for line in file if line.startswith("SigIgn:"))
    except (OSError, StopIteration):
        return False
    return bool(int(mask, 16) >> number - 1 & 1)
