"""The official SDK clients, each in a process of its own, against two servers in every mode of the bridge."""
import json
import os
import re
import subprocess

from cases import commands
from suite import Failure, case, require, require_equal, setting
from wire import message, post

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clients")
CLIENT_SECONDS = 60

MODES = {
    "default": (),
    "stateful": ("--stateful",),
    "stateless": ("--stateless",),
    "json": ("--json-response",),
}


def python(folder, script):
    return lambda: [os.path.join(setting(folder), "bin", "python"), "-B", os.path.join(FOLDER, script)]


def node(script):
    return lambda: [setting("E2E_NODE"), os.path.join(FOLDER, script)]


# name: (the program, what follows the plan)
CLIENTS = {
    "Python mcp 1.x": (python("E2E_VENV_MCP1", "python1.py"), ()),
    "Python mcp 2.x Client": (python("E2E_VENV_MCP2", "python2.py"), ()),
    "Python mcp 2.x ClientSession": (python("E2E_VENV_MCP2", "python2_legacy.py"), ()),
    "TypeScript sdk 1.x": (node("typescript1.mjs"), ()),
    "TypeScript client 2.x": (node("typescript2.mjs"), ("legacy",)),
    "TypeScript client 2.x auto": (node("typescript2.mjs"), ("auto",)),
}


def plan_for_example():
    return {
        "server": "everyday",
        "tools": ["add", "echo", "now", "count"],
        "calls": [{"name": "add", "arguments": {"a": i, "b": 1000 * i}, "text": str(1001 * i)} for i in range(50)]
        + [{"name": "echo", "arguments": {"text": f"line {i} \u00e9\u4e16\U0001f30d"},
            "text": f"line {i} \u00e9\u4e16\U0001f30d"} for i in range(50)],
        "progress": {"name": "count", "arguments": {"n": 4, "interval_ms": 50}, "text": "counted to 4",
                     "seen": [[i, 4] for i in range(1, 5)]},
    }


def plan_for_everything():
    return {
        "server": "mcp-servers/everything",
        "tools": ["echo", "get-sum", "trigger-long-running-operation"],
        "calls": [{"name": "echo", "arguments": {"message": f"call {i}"}, "text": f"Echo: call {i}"} for i in range(100)],
        "progress": {"name": "trigger-long-running-operation", "arguments": {"duration": 0.2, "steps": 4},
                     "text": "Long running operation completed. Duration: 0.2 seconds, Steps: 4.",
                     "seen": [[i, 4] for i in range(1, 5)]},
    }


SERVERS = {
    "the example server": (commands.example, plan_for_example),
    "server-everything": (commands.everything, plan_for_everything),
}


def run_client(program, extra, plan):
    """Returns what the client printed. Its own exit status is the verdict."""
    try:
        done = subprocess.run([*program(), json.dumps(plan), *extra], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as expired:
        raise Failure(f"not done within {CLIENT_SECONDS} s:\n{(expired.output or b'').decode()[-2000:]}") from None
    output = done.stdout.decode("utf-8", "replace")
    middle = "\n...\n" if len(output) > 3000 else ""  # the steps stand first, the reason last
    said = output[:1500] + middle + output[1500:][-1500:]
    require_equal(done.returncode, 0, f"it said:\n{said}\nthe client's exit status")
    require("closes\n" in output, f"the client came to its end:\n{output}")
    return output


def check(context, mode, server, client):
    command, make_plan = SERVERS[server]
    program, extra = CLIENTS[client]
    is_modern = "auto" in extra
    plan = {**make_plan(), "has_session": mode != "stateless" and not is_modern}
    if mode == "json":
        plan["progress"]["seen"] = []  # one JSON body has no place for them
    with context.bridge(command(), *MODES[mode]) as bridge:
        output = run_client(program, extra, {"url": bridge.url, **plan})
        for line in re.findall("^revision: .*", output, re.MULTILINE):
            context.note(line)
        require(not is_modern or "revision: 2026-07-28\n" in output, f"the client speaks the modern era:\n{output}")
        session = re.search(r"^session: (\S+)", output, re.MULTILINE)
        if session and session[1] != "None":
            answer = post(bridge.url, message("ping", None, 1), session=session[1])
            require_equal(answer.status, 404, "the status for the session that the client has ended")


def declare(mode, server, client):
    case(f"{client} works with {server} in mode {mode}")(lambda context: check(context, mode, server, client))


for each_mode in MODES:
    for each_server in SERVERS:
        for each_client in CLIENTS:
            declare(each_mode, each_server, each_client)
