"""The end of a bridge, ordered or not: running calls end well, and no process is left."""
import concurrent.futures
import json
import os
import signal
import subprocess

import processes
from cases import commands
from cases.clients import CLIENT_SECONDS, python
from suite import case, require, require_equal, until
from wire import Session

# Servers that do not want to go, and one that does.
SERVERS = {"well-behaved": commands.echo, "deaf": lambda: commands.awkward("deaf"),
           "grandchild": lambda: commands.awkward("grandchild")}


def wait_until_stubborn(name, bridge):
    """The fixture's process takes a moment to become deaf; a signal before that would test nothing."""
    if name != "well-behaved":
        server = bridge.child()
        until(lambda: any(processes.ignores(pid, signal.SIGTERM) for pid in [server, *processes.descendants(server)]),
              "the server or its child ignores SIGTERM")


def declare(name):
    @case(f"SIGTERM of the bridge ends it with status 0, and its server with it: {name}")
    def stopped(context):
        with context.bridge(SERVERS[name]()) as bridge:
            wait_until_stubborn(name, bridge)

    @case(f"kill -9 of the bridge ends its server too: {name}")
    def killed(context):
        with context.bridge(SERVERS[name]()) as bridge, Session(bridge.url) as session:
            require_equal(session.call("pid"), str(bridge.child()), "the server's pid")
            wait_until_stubborn(name, bridge)
            bridge.die()


for each_name in SERVERS:
    declare(each_name)


@case("SIGTERM lets a running call end, closes idle GET streams, and then the bridge ends with status 0")
def drained(context):
    with context.bridge(commands.echo()) as bridge, concurrent.futures.ThreadPoolExecutor(1) as pool:
        session = Session(bridge.url).open()
        get = session.stream("GET")
        call = session.running("progress", {"n": 20, "ms": 50}, ident=1, token=1)
        bridge.process.send_signal(signal.SIGTERM)
        answer = pool.submit(call.text)
        require_equal(get.rest(), [], "the messages on the GET stream to its end")
        require_equal(answer.result(), "done", "the running call's answer")
        require_equal(bridge.process.wait(10), 0, "the exit status")


@case("SIGTERM while a Python SDK client's call runs: the client gets the result, and closes in order")
def sdk_drained(context):
    program = python("E2E_VENV_MCP1", "stopped1.py")()
    with context.bridge(commands.echo()) as bridge:
        plan = json.dumps({"url": bridge.url})
        with subprocess.Popen([*program, plan], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as client:
            said = ""
            while "progress 1\n" not in said:
                line = client.stdout.readline()
                require(line, f"the call runs; the client said:\n{said}")
                said += line
            bridge.process.send_signal(signal.SIGTERM)
            said += client.communicate(timeout=CLIENT_SECONDS)[0]
        require_equal(client.returncode, 0, f"it said:\n{said}\nthe client's exit status")
        require("answer done\ncloses\n" in said, f"the answer came and the client closed:\n{said}")
        require_equal(bridge.process.wait(10), 0, "the exit status")


@case("a server killed while idle is started anew before anybody asks")
def restarted_while_idle(context):
    with context.bridge(commands.echo()) as bridge:
        pid = bridge.child()
        os.kill(pid, signal.SIGKILL)
        until(lambda: bridge.child() != pid, "another process")
        require_equal(Session(bridge.url).call("pid"), str(bridge.child()), "the server's pid")
