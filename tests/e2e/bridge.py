"""Starts a bridge in front of a server, and stops it so that whatever it leaves behind is noticed."""
import collections
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
import uuid

import processes
from suite import Failure, require, require_equal, until

URL = re.compile(r'http://[^ "]+:(\d+)/mcp')
START_SECONDS = 30
STOP_SECONDS = 20
LEFT_SECONDS = 5  # for what the bridge started, after its own end


class Bridge:
    """with Bridge(path, command, options) as bridge: it is ready inside, and has ended cleanly after."""

    def __init__(self, path, command, options=()):
        self.command = [path, "--port", "0", *options, "--", *command]
        self.mark = f"E2E_MARK={uuid.uuid4().hex}"
        self.log = collections.deque(maxlen=60)
        self.url = None
        self._has_url = threading.Event()  # or has ended without one

    def __enter__(self):
        name, value = self.mark.split("=")
        # A session of its own: a signal to the bridge's process group must not end the tests.
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env={**os.environ, name: value}, start_new_session=True)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.kill()
        elif self.process.returncode is None:
            self.stop()

    def _read_log(self):
        for line in self.process.stderr:
            line = line.decode("utf-8", "replace").rstrip()
            self.log.append(line)
            match = URL.search(line)
            if match and not self.url:
                self.url = f"http://127.0.0.1:{match[1]}/mcp"
                self._has_url.set()
        self._has_url.set()

    def _wait_until_ready(self):
        require(self._has_url.wait(START_SECONDS), "the bridge did not print where it listens")
        require(self.url, f"the bridge ended with status {self.process.poll()} before it listened")
        until(self._is_ready, "GET /readyz answers 200", START_SECONDS)

    def _is_ready(self):
        require(self.process.poll() is None, f"the bridge ended with status {self.process.poll()}")
        try:
            with urllib.request.urlopen(self.url.replace("/mcp", "/readyz"), timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            require_equal(error.code, 503, "the status of /readyz before the server is ready")
            return False

    def child(self):
        """The pid of the server: other processes of the bridge's may stand beside it, but have another command line."""
        wanted = " ".join(self.command[self.command.index("--") + 1:])
        return until(lambda: next((pid for pid in processes.descendants(self.process.pid)
                                   if processes.command_line(pid) == wanted), None), "the server's process exists")

    def stop(self):
        """SIGTERM; then status 0 and nothing left."""
        self._end(signal.SIGTERM, 0)

    def die(self):
        """SIGKILL, of which the bridge hears nothing; still nothing is left."""
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def _end(self, number, wanted):
        family = processes.descendants(self.process.pid)
        self.process.send_signal(number)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the bridge still ran {STOP_SECONDS} s after {number.name}") from None
        require_equal(status, wanted, f"the bridge's exit status after {number.name}")
        family.update(processes.marked(self.mark.encode()))
        try:
            until(lambda: not processes.alive(family), "every process that the bridge started is gone", LEFT_SECONDS)
        except Failure as failure:
            left = [f"{pid} {processes.command_line(pid)}" for pid in processes.alive(family)]
            for pid in processes.alive(family):
                os.kill(pid, signal.SIGKILL)
            raise Failure(f"{failure}; left: {left}") from None
        self._reader.join(STOP_SECONDS)

    def kill(self):
        """After a failure: leave nothing behind, whatever state the bridge is in."""
        family = {**processes.descendants(self.process.pid), **processes.marked(self.mark.encode())}
        for pid in [*processes.alive(family), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
