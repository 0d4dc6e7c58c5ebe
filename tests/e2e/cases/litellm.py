"""The real LiteLLM proxy in front of bridges in every mode: what its users reported, done by the program itself.

LiteLLM takes long to start, so one stands in front of all bridges, which the first case starts and the last one stops.
"""
import atexit
import json
import os
import select
import subprocess
import tempfile
import urllib.request

import processes
from bridge import Bridge
from cases import commands
from gateway import Gateway, free_port
from suite import Failure, at_once, case, require, require_equal, setting, until

CLIENT = os.path.join(commands.HERE, "clients", "gateway.py")
TOKEN = "a-token-of-the-bridge"
LISTINGS = 20      # at once
CALLS = 50         # at once
OPERATIONS = 5     # one after the other, on each server
STEPS = 8          # of a call that reports progress
LONG = {"n": STEPS, "interval_ms": 500}
PROMPT_SECONDS = 30  # for an error that is due at once, on a busy machine
CLIENT_SECONDS = 150
BACK_SECONDS = 60  # for what was taken to be given back

EXAMPLE_TOOLS = {"add", "echo", "now", "count"}


def example(**entry):
    return commands.example, entry, EXAMPLE_TOOLS


def slow_start():
    """Answers its handshake after 5 s: LiteLLM's first list of tools comes before."""
    return [*commands.echo(), "--delay", "5"]


# name: ((the server, what LiteLLM's entry has beside the URL, tools that it must have), the bridge's options)
SERVERS = {
    "example": (example(), ()),
    "implicit": (example(transport=None), ()),
    "everything": ((commands.everything, {}, {"echo", "get-sum"}), ()),
    "time": ((commands.time_server, {}, {"get_current_time", "convert_time"}), ()),
    "token": (example(auth_type="bearer_token", auth_value=TOKEN), ()),
    "stateless": (example(), ("--stateless",)),
    "stateful": (example(), ("--stateful",)),
    "json": (example(), ("--json-response",)),
    "old": (example(transport="sse"), ()),
    "modern": (example(protocol_version="2026-07-28"), ()),
    "asking": ((commands.echo, {"allow_elicitation": True}, {"ask", "progress"}), ()),
    "slow": ((slow_start, {}, {"echo", "sleep"}), ()),
    "killed": (example(), ()),
    "restarted": (example(), ()),
}
# A second entry for a bridge: (its name, what LiteLLM's entry has beside the URL).
TWINS = {"restarted_modern": ("restarted", {"protocol_version": "2026-07-28"}), "hasty": ("example", {"timeout": 2})}
DEAD = "dead"
EXAMPLES = [name for name, ((server, _, _), _) in SERVERS.items() if server is commands.example]


class House:
    """All bridges, and LiteLLM in front of them."""

    def __init__(self, path):
        self.path = path
        self.ports = {name: free_port() for name in [*SERVERS, DEAD]}
        self.bridges = {}
        self.started = {}  # name: what the bridge held before it was used
        atexit.register(self.abandon)
        self.tokens = tempfile.NamedTemporaryFile("w", encoding="ascii")  # gone with the house
        self.tokens.write(f"litellm:{TOKEN}\n")
        self.tokens.flush()
        for name in SERVERS:
            self.start(name)
        entries = {name: self.entry(name) for name in self.ports}
        entries.update({name: {**entries[of], **extra} for name, (of, extra) in TWINS.items()})
        self.gateway = Gateway(entries)

    def start(self, name):
        (server, _, _), options = SERVERS[name]
        bridge = Bridge(self.path, server(), ("--port", str(self.ports[name]), *options, *self.token_options(name)))
        self.bridges[name] = bridge.__enter__()
        self.started[name] = holdings(bridge)
        return bridge

    def abandon(self):
        """A run that is broken off leaves nothing behind either."""
        for bridge in self.bridges.values():
            if bridge.process.poll() is None:
                bridge.kill()

    def token_options(self, name):
        if name != "token":
            return ()
        return ("--auth-token-file", self.tokens.name)

    def entry(self, name):
        extra = {} if name == DEAD else SERVERS[name][0][1]
        path = "sse" if extra.get("transport") == "sse" else "mcp"
        entry = {"url": f"http://127.0.0.1:{self.ports[name]}/{path}", "transport": "http", **extra}
        return {key: value for key, value in entry.items() if value is not None}

    def figures(self, name):
        return figures(self.bridges[name])


def figures(bridge):
    request = urllib.request.Request(bridge.url.replace("/mcp", "/status"), headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found = json.load(answer)["figures"]
    return {name.removeprefix("mcp_bridge_"): value for name, value in found.items()}


def holdings(bridge):
    """What must come back to its number: processes, open files; and sessions, streams, requests and connections to none."""
    found = figures(bridge)
    pid = bridge.process.pid
    return {"processes": len(processes.alive(processes.descendants(pid))), "files": len(os.listdir(f"/proc/{pid}/fd")),
            **{name: found[name] for name in ("sessions", "streams", "requests_in_flight", "http_connections")}}


def require_given_back(house):
    for entry in house.bridges:
        bridge, before = house.bridges[entry], house.started[entry]
        try:
            until(lambda: all(count <= before[name] for name, count in holdings(bridge).items()), "given back", BACK_SECONDS)
        except Failure:
            raise Failure(f"{entry} holds {holdings(bridge)}, before it was {before}") from None


HOUSES = []


NEVER = ("timeouts_total", "dropped_messages_total", "lost_notifications_total", "slow_streams_closed_total",
         "withheld_messages_total", "callbacks_failed_total", "sessions_expired_total")


def the_house(context):
    if not HOUSES:
        HOUSES.append(House(context.path))
        context.note(f"LiteLLM took {HOUSES[0].gateway.start_seconds:.0f} s to start")
    context.bridges += HOUSES[0].bridges.values()
    return HOUSES[0]


def litellm_case(sentence):
    return case(f"LiteLLM: {sentence}", runs_alone=True)


def client(house, sdk, **plan):
    """Runs clients/gateway.py with an SDK of that generation against LiteLLM's own endpoint; returns what it got."""
    plan = {"url": f"{house.gateway.url}/mcp/", "key": house.gateway.key, "calls": [], **plan}
    command = [os.path.join(setting(f"E2E_VENV_MCP{sdk}"), "bin", "python"), "-B", CLIENT, json.dumps(plan)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False)
    require(done.returncode == 0, f"the client ends well: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


# ---- Lists ----

def require_all_listed(found):
    names, outcomes = found
    for name, ((_, _, tools), _) in SERVERS.items():
        require(tools <= names.get(name, set()), f"{tools} of {name} are listed: {names.get(name)}, {outcomes.get(name)}")
    require(outcomes.get(DEAD) not in (None, "ok"), f"the dead server is said to be dead: {outcomes}")


@litellm_case("it lists the tools of servers in every mode beside one that is dead, and so do 20 clients at once")
def lists(context):
    house = the_house(context)
    require_all_listed(house.gateway.tools())
    for found in at_once(lambda _: house.gateway.tools(), range(LISTINGS)):
        require_all_listed(found)
    require_given_back(house)


# ---- Calls ----

@litellm_case("50 calls at once on one server, and on servers in every mode, each get their own answer")
def calls_on_one_server(context):
    house = the_house(context)
    for name_of in (lambda i: "example", lambda i: EXAMPLES[i % len(EXAMPLES)]):
        sums = at_once(lambda i, name_of=name_of: house.gateway.call(name_of(i), "add", {"a": i, "b": 1000}), range(CALLS))
        require_equal(sums, [str(1000 + i) for i in range(CALLS)], "the sums")
    require_given_back(house)


@litellm_case("official clients of both generations, each in one session: all tools, 50 calls at once, progress")
def official_clients(context):
    house = the_house(context)
    names = [EXAMPLES[i % len(EXAMPLES)] for i in range(CALLS)]
    calls = [[f"{name}-echo", {"text": f"{name} {i}"}] for i, name in enumerate(names)]
    for sdk in (1, 2):
        found = client(house, sdk, calls=calls, long=["example-count", LONG])
        for name, ((_, _, wanted), _) in SERVERS.items():
            require({f"{name}-{tool}" for tool in wanted} <= set(found["tools"]), f"SDK {sdk}: {wanted} of {name} are listed")
        require_equal(found["calls"], [{"text": f"{name} {i}"} for i, name in enumerate(names)], f"SDK {sdk}")
        require_equal(found["long"], {"text": "counted to 8"}, f"the answer to SDK {sdk}")
        require_equal(found["progress"], [[i, STEPS] for i in range(1, STEPS + 1)], f"the progress that SDK {sdk} saw")
    require_given_back(house)


@litellm_case("a long call is answered on a server in every mode, and another call beside it meanwhile")
def long_calls(context):
    house = the_house(context)
    running = {name: house.gateway.begin(name, "count", LONG) for name in EXAMPLES}
    for name, sock in running.items():
        until(lambda name=name, sock=sock: house.figures(name)["requests_in_flight"] or select.select([sock], [], [], 0)[0],
              f"{name} counts or has counted", BACK_SECONDS)
    sums = at_once(lambda name: house.gateway.call(name, "add", {"a": 1, "b": 2}), EXAMPLES)
    require_equal(set(sums), {"3"}, "the calls beside them")
    for name, sock in running.items():
        with sock:
            require(b"counted to 8" in read_all(sock), f"{name} counted")
    require_given_back(house)


def read_all(sock):
    """An answer with its head; the connection stays open, so its end is the last chunk's or the body's."""
    data = b""
    while b"\r\n\r\n" not in data or not data.rstrip().endswith((b"}", b"0")):
        more = sock.recv(65536)
        if not more:
            break
        data += more
    return data


@litellm_case("a call that fails is an error for its caller and nobody else")
def errors(context):
    house = the_house(context)

    def one(i):
        if i % 2 == 0:
            return house.gateway.call("asking", "echo", {"i": i})
        return house.gateway.result("asking", "wrong", {"code": -32077})

    for i, got in enumerate(at_once(one, range(20))):
        require(i % 2 == 0 or "-32077" in json.dumps(got) or got[0] != 200 or got[1].get("isError"), f"an error: {got}")
        require(i % 2 or json.loads(got) == {"i": i}, f"the echo: {got}")
    require_given_back(house)


@litellm_case("operations one after the other, each in a session of its own: no process more, and nothing left")
def operations(context):
    house = the_house(context)
    for name in EXAMPLES:
        before = house.figures(name)
        for i in range(OPERATIONS):
            require_equal(house.gateway.call(name, "add", {"a": i, "b": 1}), str(i + 1), f"the sum of {name}")
        after = house.figures(name)
        require_equal(after["child_starts_total"], before["child_starts_total"], f"the processes that {name} started")
        context.note(f"{name}: {after['sessions_opened_total'] - before['sessions_opened_total']} sessions, "
                     f"{after['http_requests_total'] - before['http_requests_total']} requests for {OPERATIONS} calls")
    require_given_back(house)


# ---- Faults ----

@litellm_case("clients that leave in the middle of a call leave nothing behind")
def leaving(context):
    house = the_house(context)
    for name in EXAMPLES:
        for _ in range(5):
            house.gateway.begin(name, "count", {"n": 20, "interval_ms": 100}).close()
        require_equal(house.gateway.call(name, "add", {"a": 1, "b": 2}), "3", f"a call of {name} beside it")
    require_given_back(house)


@litellm_case("a call that outlasts LiteLLM's timeout is an error there, and leaves nothing behind")
def timeouts(context):
    house = the_house(context)
    status, body = house.gateway.result("hasty", "count", {"n": 20, "interval_ms": 300})
    require(status != 200 or body.get("isError"), f"an error: {status} {body}")
    require_equal(house.gateway.call("hasty", "add", {"a": 1, "b": 2}), "3", "a call after it")
    require_given_back(house)


@litellm_case("a server that is killed in the middle of calls: they fail at once, those after it are answered")
def killed_server(context):
    house = the_house(context)
    bridge = house.bridges["killed"]

    def one(i):
        return house.gateway.result("killed", "count", {"n": 1000, "interval_ms": 60000}, PROMPT_SECONDS)

    for _ in range(3):
        calls = 10

        def kill(i):
            if i < calls:
                return one(i)
            until(lambda: house.figures("killed")["requests_in_flight"] == calls, "all calls run", PROMPT_SECONDS)
            os.kill(bridge.child(), 9)
            return None

        for status, body in at_once(kill, range(calls + 1))[:calls]:
            require("signal 9" in json.dumps(body), f"the answer says how the server ended: {status} {body}")
        require_equal(house.gateway.call("killed", "add", {"a": 1, "b": 2}), "3", "a call after it")
    require_given_back(house)


def run_calls_and(house, entry, what):
    """Five calls that take 2 s, and `what` in their middle. Returns [(status, body)] of the calls."""
    def one(i):
        if i < 5:
            return house.gateway.result(entry, "count", {"n": 10, "interval_ms": 200}, CLIENT_SECONDS)
        until(lambda: house.figures("restarted")["requests_in_flight"] == 5, "all calls run", PROMPT_SECONDS)
        return what()

    return at_once(one, range(6))[:5]


@litellm_case("a bridge goes and comes back: calls that ran get an answer, the other servers are listed, and then all are")
def restarted_bridge(context):
    house = the_house(context)
    # In the legacy era the SDK lists the tools after a call, on a new connection, and takes the call for failed if it
    # cannot: a call that a stopped bridge finishes is lost all the same. In the modern one it lists them before.
    for entry, stop, text in (("restarted_modern", "stop", "counted to 10"), ("restarted", "stop", ""), ("restarted", "die", "")):
        bridge = house.bridges["restarted"]
        for status, body in run_calls_and(house, entry, getattr(bridge, stop)):
            require(text in json.dumps(body) and (stop == "stop" or body.get("isError")), f"{entry}, {stop}: {status} {body}")
        names, outcomes = house.gateway.tools()
        require(set(SERVERS) - {"restarted"} <= set(names), f"the others are listed meanwhile: {outcomes}")
        require("ok" not in (outcomes["restarted"], outcomes["restarted_modern"]), f"it is said to be away: {outcomes}")
        house.start("restarted")
        require_equal(house.gateway.call(entry, "add", {"a": 1, "b": 2}), "3", "a call after its return")
        require_all_listed(house.gateway.tools())
    require_given_back(house)


# ---- Questions ----

@litellm_case("a server's question reaches the client behind it, from a process of its own")
def questions(context):
    house = the_house(context)
    question = {"message": "Which color?", "requestedSchema": {"type": "object", "properties": {"color": {"type": "string"}}}}
    ask = ["asking-ask", {"method": "elicitation/create", "params": question}]
    for sdk in (1, 2):
        before = house.figures("asking")
        found = client(house, sdk, elicits=True, calls=[ask])
        require("green" in json.dumps(found["calls"][0].get("structured")), f"the answer of SDK {sdk} arrives: {found['calls']}")
        after = house.figures("asking")
        require_equal(after["callbacks_answered_total"] - before["callbacks_answered_total"], 1, "the questions that were answered")
        context.note(f"{after['child_starts_total'] - before['child_starts_total']} processes for a list and a call")
    require_given_back(house)


# ---- The end ----

@litellm_case("after all that no bridge has dropped or missed anything, and all stop with status 0")
def end(context):
    house = the_house(context)
    house.gateway.end()
    require_given_back(house)
    for name, bridge in house.bridges.items():
        found = house.figures(name)
        wrong = {key: found[key] for key in NEVER if found[key]}
        require(not wrong, f"{name}: {wrong}")
        context.note(f"{name}: {found['sessions_opened_total']} sessions, {found['child_starts_total']} processes, refused: "
                     f"{ {reason: count for reason, count in found['refused_total'].items() if count} }")
        bridge.stop()
