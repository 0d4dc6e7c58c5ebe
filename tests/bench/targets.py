"""What is measured: mcp-bridge, the relays that show the limit, and the peers. How each is started, and its version."""
import json
import os
import re
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(ROOT, "build/release/bench")
SERVER = os.path.join(PROGRAMS, "server")
PEERS = os.path.join(ROOT, "build/bench")
NODE = os.path.join(ROOT, "build/node/bin/node")
FOLDER = os.path.join(PEERS, "run")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def npm_version(package):
    with open(os.path.join(PEERS, f"npm/node_modules/{package}/package.json"), encoding="utf-8") as file:
        return json.load(file)["version"]


def pinned(file, pattern):
    with open(os.path.join(ROOT, "tests/bench/peers", file), encoding="utf-8") as text:
        return re.search(pattern, text.read(), re.MULTILINE)[1]


class Target:
    """One thing to measure. `kinds` says how it serves: "session", "stateless" or both; if by one process or by two."""
    name = ""
    path = "/mcp"
    kinds = ("session", "stateless")
    is_one_process = False
    is_peer = True
    patience = 30

    def version(self):
        return ""

    def is_there(self):
        return True

    def command(self, port, kind, server=""):
        raise NotImplementedError


class Bridge(Target):
    name = "mcp-bridge"
    is_one_process = True
    is_peer = False

    def __init__(self, program=os.path.join(ROOT, "mcp-bridge")):
        self.program = program

    def version(self):
        return subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def command(self, port, kind, server=""):
        return [self.program, "--port", str(port), "--quiet", "--max-body", "32MiB", "--max-sessions", "50000", "--",
                SERVER, *server.split()]


class Relay(Target):
    """It has no sessions; what works in sessions is the same work to it. It translates nothing: its server is the older."""
    is_one_process = True
    is_peer = False

    def __init__(self, joint):
        self.joint = joint
        self.name = "relay" if joint == "sockets" else "relay, pipes"

    def command(self, port, kind, server=""):
        return [os.path.join(PROGRAMS, "relay"), str(port), self.joint, SERVER]


class Supergateway(Target):
    name = "supergateway"

    def version(self):
        return npm_version("supergateway")

    def command(self, port, kind, server=""):
        program = os.path.join(PEERS, "npm/node_modules/supergateway/dist/index.js")
        mode = ["--stateful"] if kind == "session" else []
        return [NODE, program, "--stdio", SERVER, "--outputTransport", "streamableHttp", "--port", str(port),
                "--logLevel", "none", *mode]


class NpmProxy(Target):
    name = "mcp-proxy (npm)"

    def version(self):
        return npm_version("mcp-proxy")

    def command(self, port, kind, server=""):
        program = os.path.join(PEERS, "npm/node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs")
        mode = ["--stateless"] if kind == "stateless" else []
        return [NODE, program, "--port", str(port), "--host", "127.0.0.1", "--server", "stream", "--maxBodySize", "0",
                *mode, "--", SERVER]


class PythonProxy(Target):
    name = "mcp-proxy (PyPI)"

    def version(self):
        return pinned("requirements.txt", r"^mcp-proxy==(.+)$")

    def command(self, port, kind, server=""):
        mode = ["--stateless"] if kind == "stateless" else []
        return [os.path.join(PEERS, "venv-peers/bin/mcp-proxy"), "--host", "127.0.0.1", "--port", str(port),
                "--log-level", "ERROR", *mode, "--", SERVER]


class GoProxy(Target):
    """It keeps no sessions: what works in sessions is, to it, the same work without."""
    name = "mcp-proxy (Go)"
    path = "/bench/mcp"
    kinds = ("stateless",)
    program = os.path.join(PEERS, "go/mcp-proxy")

    def version(self):
        return pinned("go.mod", r"^require github.com/TBXark/mcp-proxy v(\S+)$")

    def is_there(self):
        return os.path.exists(self.program)

    def command(self, port, kind, server=""):
        config = {"mcpProxy": {"baseURL": f"http://127.0.0.1:{port}", "addr": f"127.0.0.1:{port}", "name": "bench",
                               "version": "1", "type": "streamable-http", "options": {"logEnabled": False}},
                  "mcpServers": {"bench": {"command": SERVER, "args": []}}}
        path = os.path.join(FOLDER, f"go-{port}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        return [self.program, "-config", path]


def all_targets():
    return [Bridge(), Relay("sockets"), Relay("pipes"), Supergateway(), NpmProxy(), PythonProxy(), GoProxy()]


# ---- A target that runs ----

def children_of():
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                    parent = int(stat.read().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry))
    return children


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


class Running:
    """A target's process with all that it starts."""

    def __init__(self, target, kind, server=""):
        os.makedirs(FOLDER, exist_ok=True)
        self.target = target
        self.port = free_port()
        self.start = time.perf_counter()
        self.process = subprocess.Popen(target.command(self.port, kind, server), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                                        cwd=FOLDER)

    def pids(self, with_servers=False):
        """The processes that belong to the target itself, not those of the server behind it."""
        children = children_of()
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return [pid for pid in found if with_servers or executable(pid) != SERVER]

    def listening_after(self):
        """Seconds from the start until a connection is accepted."""
        end = self.start + self.target.patience
        while time.perf_counter() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return time.perf_counter() - self.start
            time.sleep(0.0003)
        raise RuntimeError(f"{self.target.name} does not listen")

    def memory_kib(self):
        """Resident memory of the target's own processes: all of it, and what it does not share."""
        sums = {"Rss": 0, "Pss": 0}
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    for line in file:
                        name, _, value = line.partition(":")
                        if name in sums:
                            sums[name] += int(value.split()[0])
            except OSError:
                pass
        return {"rss_kib": sums["Rss"], "pss_kib": sums["Pss"]}

    def stop(self):
        started = self.pids(with_servers=True)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        for pid in started:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
