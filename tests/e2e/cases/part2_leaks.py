"""Sessions by the thousand that nobody ends: what they took is given back."""
import concurrent.futures
import os
import re
import time

import processes
from cases import commands
from suite import case, require, require_equal, until
from wire import INITIALIZE, Session, Stream, message, post

SESSIONS = 2000
OWN = 20          # of them with a process of their own
EXPIRES = 6       # seconds: all are open at once for a moment
OPTIONS = ("--session-timeout", f"{EXPIRES}s", "--callback-timeout", "1s", "--max-sessions", "4000",
           "--stream-after", "50ms")
WAIT = 30         # seconds for all to expire
MORE = 1.10       # what may be left


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE)[1])


def files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def servers(bridge):
    command = " ".join(bridge.command[bridge.command.index("--") + 1:])
    return [pid for pid in processes.descendants(bridge.process.pid) if processes.command_line(pid) == command]


def open_own(bridge, i):
    params = {**INITIALIZE, "protocolVersion": "2025-11-25", "capabilities": {"sampling": {}}}
    answer = post(bridge.url, message("initialize", params, 0))
    require_equal(answer.status, 200, f"the status of initialize {i}")
    session = Session(bridge.url)
    session.id, session.version = answer.headers["mcp-session-id"], "2025-11-25"
    # A question that is never answered, on a call that is never waited for.
    stream = session.stream("POST", message("tools/call", {"name": "ask", "arguments": {"method": "roots/list"}}, 1))
    require_equal(stream.next_message()["method"], "roots/list", "the question")
    stream.cut()


def abandon(bridge, i):
    """One session, left in one of the many states that clients leave theirs in."""
    if i % (SESSIONS // OWN) == 1:
        return open_own(bridge, i)
    session = Session(bridge.url).open(version=("2025-03-26", "2025-06-18", "2025-11-25")[i % 3])
    if i % 4 == 0:
        session.request("resources/subscribe", {"uri": f"test://{i}"})
        session.request("logging/setLevel", {"level": "error"})
    if i % 10 == 1:
        session.stream("GET").cut()
    if i % 10 == 2:
        session.running("progress", {"n": 3, "ms": 30}, ident=1, token=1).cut()
    if i % 10 == 3:
        session.call("big", {"bytes": 20000})
    if i % 50 == 4:
        Stream(bridge.url.replace("/mcp", "/sse"), "GET").cut()
    return None


def one_round(bridge):
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: abandon(bridge, i), range(SESSIONS)))
    return time.monotonic() - start


@case("2000 sessions opened and abandoned: memory, files and processes are given back when they have expired",
      runs_alone=True)
def abandoned_sessions(context):
    with context.bridge(commands.echo(), *OPTIONS) as bridge:
        pid = bridge.process.pid
        before = files(pid)  # perhaps with the connection that asked whether it is ready
        require_equal(len(servers(bridge)), 1, "the servers at the start")
        figures = []
        for _ in range(2):  # the first warms: what the allocator and the tables keep for good is no leak
            seconds = one_round(bridge)
            most = rss(pid)
            until(lambda: len(servers(bridge)) == 1, "only the shared server is left", WAIT)
            until(lambda: files(pid) <= before, f"no more open files than at the start: {before}", WAIT)
            time.sleep(EXPIRES / 2)  # the last ones expire with the servers; to ask for one would keep it
            figures.append((most, rss(pid)))
        context.note(f"{SESSIONS} sessions in {seconds:.1f} s")
        context.note(f"kB at most and left: {figures[0]} in the first round, {figures[1]} in the second")
        limit = figures[0][1] * MORE
        until(lambda: rss(pid) <= limit, f"at most {limit:.0f} kB, there are {rss(pid)}", WAIT)
        found = Session(bridge.url).request("tools/call", {"name": "subscriptions"})["structuredContent"]["subscriptions"]
        require_equal(found, [], "the subscriptions at the server")
        require(Session(bridge.url).open().call("pid"), "a new session works")
