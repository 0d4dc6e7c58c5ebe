"""The bridge under test: its process, its log, and the processes below it."""
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time

from .client import Failed

_PLACE = re.compile(r"http://([^ \"/]+):(\d+)/|unix:([^ \",]+), at /")
_REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed")
_PR_SET_CHILD_SUBREAPER = 36
_HELPERS = ("bridge-guardian",)  # processes of the bridge's own, which "children" does not count


def adopt_orphans():
    """Makes this process the parent of whatever the bridge leaves behind, so that nothing escapes the count (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def processes():
    """[(pid, parent, state, name)] of all processes; [] where there is no /proc."""
    found = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        try:
            with open("/proc/%s/stat" % int(entry), encoding="utf-8", errors="replace") as stat:
                name, rest = stat.read().split("(", 1)[1].rsplit(") ", 1)
        except (ValueError, OSError):
            continue  # not a process, or one that has just ended
        state, parent = rest.split()[:2]
        found.append((int(entry), int(parent), state, name))
    return found


def descendants():
    """{pid: name} of the live processes below this one. A zombie is dead, and has no children."""
    alive = [one for one in processes() if one[2] not in "ZX"]
    below = {os.getpid(): ""}
    while True:
        more = {pid: name for pid, parent, _, name in alive if parent in below and pid not in below}
        if not more:
            del below[os.getpid()]
            return below
        below.update(more)


def kill_descendants():
    for pid in descendants():
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass


class Bridge:
    def __init__(self, argv, environment):
        self.process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.pid = self.process.pid
        self.lines = []
        self.changed = threading.Condition()
        self.open_outputs = 2
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self._collect, args=(stream,), daemon=True).start()

    def _collect(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.open_outputs -= 1
            self.changed.notify_all()

    def wait_line(self, pattern, deadline):
        """The first line of the log, past or to come, in which the pattern is found."""
        looked_at = 0
        with self.changed:
            while True:
                for line in self.lines[looked_at:]:
                    match = re.search(pattern, line)
                    if match:
                        return match
                looked_at = len(self.lines)
                if self.open_outputs == 0:
                    raise Failed("the log ended without a line like %r" % pattern)
                if not self.changed.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise Failed("no line like %r in the log" % pattern)

    def place(self, deadline):
        """Where it listens: (host, port), or the path of a Unix socket."""
        host, port, path = self.wait_line(_PLACE, deadline).groups()
        return path if path else (host.strip("[]"), int(port))

    def wait(self, deadline):
        """Its exit status; minus the signal's number where a signal ended it."""
        try:
            return self.process.wait(max(0.01, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failed("the bridge is still running") from None

    def wait_children(self, count, deadline):
        """Waits until that many processes live below the bridge, its own helpers aside."""
        self._wait_processes(count, _HELPERS, deadline)

    def wait_all_gone(self, deadline):
        """Waits until nothing at all is left of the bridge and what it started."""
        self._wait_processes(0, (), deadline)

    def _wait_processes(self, count, aside, deadline):
        while os.path.isdir("/proc/self"):
            left = {pid: name for pid, name in descendants().items() if pid != self.pid and name not in aside}
            if len(left) == count:
                return
            if time.monotonic() > deadline:
                raise Failed("expected %d processes below the bridge, got %s" % (count, left))
            time.sleep(0.01)

    def wait_zombies(self, count, deadline):
        """Waits until that many dead children of the bridge are left unreaped."""
        while sum(parent == self.pid and state == "Z" for _, parent, state, _ in processes()) != count:
            if time.monotonic() > deadline:
                raise Failed("the bridge does not reap its dead children")
            time.sleep(0.01)

    def reports(self):
        """The lines in which a sanitizer or an assert complains."""
        return [line for line in self.lines if _REPORT.search(line)]
