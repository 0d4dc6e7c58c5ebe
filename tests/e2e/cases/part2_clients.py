"""The official clients in everything that a session has beside calls, over both transports."""
import http.client
import urllib.parse

from cases import commands
from cases.clients import node, python, run_client
from cutting_proxy import CuttingProxy, SilenceCuttingProxy
from suite import case, require, require_equal
from wire import Session

CLIENTS = {"Python mcp 1.x": python("E2E_VENV_MCP1", "questions1.py"), "TypeScript sdk 1.x": node("questions1.mjs")}

# scenario: what the client does
SCENARIOS = {
    "sampling": "answers the server's sampling question, and refuses one",
    "elicitation": "accepts, declines and cancels an elicitation",
    "roots": "tells its roots, and that they have changed",
    "progress": "follows the progress of ten calls at once",
    "logging": "hears log messages from its level on",
    "subscriptions": "and another one on the same server each hear of the resources they have subscribed to",
    "cancellation": "cancels a call, and the server hears so",
    "list_changed": "hears that lists have changed",
}
TRANSPORTS = [("http", "Streamable HTTP", "/mcp"), ("sse", "HTTP+SSE", "/sse"),
              ("sse", "HTTP+SSE at the MCP endpoint", "/mcp")]


def declare(client, transport, scenario):
    kind, name, path = transport

    @case(f"{client} over {name} {SCENARIOS[scenario]}")
    def check(context):
        with context.bridge(commands.echo()) as bridge:
            url = bridge.url.replace("/mcp", path)
            run_client(CLIENTS[client], (), {"url": url, "transport": kind, "scenario": scenario})


for each_client in CLIENTS:
    for each_transport in TRANSPORTS:
        for each_scenario in SCENARIOS:
            declare(each_client, each_transport, each_scenario)


def through_cuts(context, client, scenario, text, most, method=b"", steps=10):
    """Runs the scenario through a proxy that cuts connections. Every cut must have been made, and resumed by the SDK."""
    with context.bridge(commands.echo(), "--stream-after", "50ms") as bridge, \
            CuttingProxy(urllib.parse.urlsplit(bridge.url).port, text, most, method) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/mcp"
        run_client(CLIENTS[client], (), {"url": url, "transport": "http", "scenario": scenario, "steps": steps})
        require_equal(proxy.cuts, most, "the connections cut")
        resumed = [head for head in proxy.requests if head.startswith(b"get ") and b"\r\nlast-event-id:" in head]
        require(len(resumed) >= most, f"{len(resumed)} resumptions for {most} cuts")


def declare_cuts(client):
    @case(f"{client} resumes a call whose connection is cut in the middle: no progress is lost, none comes twice")
    def cut_once(context):
        through_cuts(context, client, "resumption", b'"progress":4', 1)

    @case(f"{client} gets the answer that came while its connection was cut, right before it")
    def cut_at_the_end(context):
        through_cuts(context, client, "resumption", b'"progress":10', 1)

    @case(f"{client} answers a question that the server asked while its connection was cut")
    def cut_before_the_question(context):
        through_cuts(context, client, "question_in_the_gap", b"retry:", 1, b"POST ")


for each_client in CLIENTS:
    declare_cuts(each_client)


@case("TypeScript sdk 1.x resumes a call whose connection is cut again and again")
def cut_often(context):  # the Python SDK 1.x gives up: it takes a connection that breaks off for a failed attempt
    through_cuts(context, "TypeScript sdk 1.x", "resumption", b'"progress":', 3, steps=40)


@case("TypeScript sdk 1.x: another client with the session's id and the last event id takes a call over")
def resumed_by_another(context):
    with context.bridge(commands.echo()) as bridge:
        plan = {"url": bridge.url, "transport": "http", "scenario": "resumption_by_token"}
        run_client(CLIENTS["TypeScript sdk 1.x"], (), plan)


SILENCE = 1.0  # seconds after which the proxy cuts: 60 with many load balancers
LONG_CALL = 6  # seconds that a call takes: 360 beside those 60


def through_silence(context, *options):
    """A call that takes long and says nothing, through a proxy that cuts silence. Returns its answer and the cuts."""
    with context.bridge(commands.echo(), *options) as bridge:
        port = urllib.parse.urlsplit(bridge.url).port
        with SilenceCuttingProxy(port, SILENCE) as proxy:
            session = Session(f"http://127.0.0.1:{proxy.port}/mcp").open()
            try:
                return session.call("sleep", {"ms": LONG_CALL * 1000}), proxy.cuts
            except (OSError, http.client.HTTPException):
                return None, proxy.cuts


@case("a call that takes long survives a proxy that cuts silence: heartbeats keep its stream; without them it is cut")
def long_call_through_silence(context):
    text, cuts = through_silence(context, "--stream-after", "300ms", "--heartbeat", "300ms")
    require_equal((text, cuts), ("slept", 0), "the answer, and the cuts")
    text, cuts = through_silence(context, "--stream-after", "300ms", "--heartbeat", "0")
    require_equal((text, cuts), (None, 1), "the answer, and the cuts, without heartbeats")
