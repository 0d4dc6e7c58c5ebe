"""What users of gateways reported against bridges, each as a test of ours: many at once, none disturbs another."""
import time

from cases import commands
from suite import at_once, case, require, require_equal
from wire import INITIALIZE, Session, Stream, exchange, message, post

MANY = 32
SLOW = "trigger-long-running-operation"
CYCLES = 50
CYCLE_SECONDS_MOST = 1.0  # a bound against defects such as a process for each session, not a measurement


def slow(seconds=0.5, steps=5):
    return {"duration": seconds, "steps": steps}


def slow_text(seconds=0.5, steps=5):
    return f"Long running operation completed. Duration: {seconds} seconds, Steps: {steps}."


def tool_names(session, **options):
    return [tool["name"] for tool in session.request("tools/list", **options)["tools"]]


# -- many calls at the same time ---------------------------------------------------------------------------------------

@case("32 calls at once on one session run side by side, and each gets its own answer")
def calls_on_one_session(context):
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        def one(i):
            seconds = 0.5 + i / 1000
            require_equal(session.call(SLOW, slow(seconds)), slow_text(seconds), f"call {i}")
        start = time.monotonic()
        at_once(one, range(MANY))
        spent = time.monotonic() - start
        context.note(f"{MANY} calls of 0.5 s in {spent:.2f} s")
        require(spent < MANY * 0.5 / 2, f"side by side: {spent:.1f} s")


@case("32 stateless calls at once with equal ids and tokens each get their own answer and progress")
def stateless_calls_with_equal_ids(context):
    with context.bridge(commands.everything()) as bridge:
        def one(i):
            with Session(bridge.url).running(SLOW, slow(steps=i + 2), ident=1, token=1) as stream:
                *progress, answer = stream.rest()
            require_equal([note["params"]["progress"] for note in progress], list(range(2, i + 3)), "the rest of the progress")
            require_equal({note["params"]["progressToken"] for note in progress}, {1}, "the token")
            require_equal({note["params"]["total"] for note in progress}, {i + 2}, "the total: whose progress it is")
            require_equal((answer["id"], answer["result"]["content"][0]["text"]), (1, slow_text(steps=i + 2)), "the answer")
        at_once(one, range(MANY))


@case("32 sessions that use equal ids and tokens hear only their own")
def sessions_with_equal_ids(context):
    with context.bridge(commands.everything()) as bridge:
        def one(i):
            with Session(bridge.url).open() as session:
                with session.running(SLOW, slow(steps=i + 2), ident="a", token="a") as stream:
                    *progress, answer = stream.rest()
                require_equal([note["params"]["total"] for note in progress], [i + 2] * (i + 1), "progress")
                require_equal(answer["result"]["content"][0]["text"], slow_text(steps=i + 2), "the answer")
        at_once(one, range(MANY))


def disconnects(bridge, new_session):
    """Every fourth client is gone in the middle of its call, with a reset. The others must not notice."""
    def one(i):
        session = new_session()
        stream = session.running(SLOW, slow(1, 10 + i), ident=i, token=i)
        if i % 4 == 0:
            stream.cut()
            return None
        with stream:
            return stream.text()
    answers = at_once(one, range(MANY))
    require_equal(answers, [None if i % 4 == 0 else slow_text(1, 10 + i) for i in range(MANY)], "the answers")
    require_equal(new_session().call("echo", {"message": "next"}), "Echo: next", "the call after it")


@case("clients that vanish in the middle of stateless calls do not disturb the other calls")
def stateless_disconnects(context):
    with context.bridge(commands.everything()) as bridge:
        disconnects(bridge, lambda: Session(bridge.url))


@case("clients that vanish in the middle of calls on one session do not disturb the other calls on it")
def session_disconnects(context):
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        disconnects(bridge, lambda: session)


# -- the GET stream ----------------------------------------------------------------------------------------------------

@case("a GET stream opens at once, and its abrupt end in the middle of calls ends none of them")
def get_stream_cut(context):
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        for _ in range(3):
            get = session.stream("GET", limit=5)
            require_equal((get.status, get.content_type.split(";")[0]), (200, "text/event-stream"), "GET")
            calls = at_once(lambda i: session.running(SLOW, slow(), ident=i, token=i), range(8))
            get.cut()
            answers = at_once(Stream.text, calls)
            require_equal(answers, [slow_text()] * 8, "the calls' answers")
        require(tool_names(session), "the session goes on")


@case("a second GET stream and its end leave the session and its calls alone")
def second_get_stream(context):
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        streams = [session.stream("GET", limit=5) for _ in range(4)]
        require_equal([stream.status for stream in streams], [200] * 4, "every GET")
        call = session.running(SLOW, slow(), ident=1, token=1)
        for stream in streams:
            stream.cut()
        require_equal(call.text(), slow_text(), "the call's answer")


@case("a server's list-changed reaches GET streams and never stands before the answer to a request")
def list_changed(context):
    changed = "notifications/tools/list_changed"
    with context.bridge(commands.echo()) as bridge:
        with Session(bridge.url).open() as session, Session(bridge.url).open() as other:
            gets = [one.stream("GET", limit=10) for one in (session, other)]
            body = message("tools/call", {"name": "trigger", "arguments": {"method": changed}}, 1)
            answer = session.post(body, accept="text/event-stream")
            require_equal([one.get("id") for one in answer.messages], [1], "the messages on the POST's stream")
            require_equal([get.next_message().get("method") for get in gets], [changed] * 2, "the GET streams' message")
            for get in gets:
                get.close()


@case("an idle client with a GET stream hears nothing of what was said before its session began")
def no_old_news(context):
    with context.bridge(commands.echo()) as bridge:
        changed = {"method": "notifications/tools/list_changed"}
        Session(bridge.url).call("trigger", changed)
        with Session(bridge.url).open() as session, session.stream("GET", limit=10) as get:
            # The next news must be the first that arrives; then nothing old stood before it.
            session.call("trigger", {"method": "notifications/prompts/list_changed"})
            require_equal(get.next_message()["method"], "notifications/prompts/list_changed", "the first message")


# -- discovery ---------------------------------------------------------------------------------------------------------

@case("16 discoveries at the same time, each a session with a GET stream, list the same tools")
def discoveries(context):
    with context.bridge(commands.everything()) as bridge:
        def one(_):
            with Session(bridge.url).open() as session, session.stream("GET", limit=5) as get:
                require_equal(get.status, 200, "GET")
                return tool_names(session)
        lists = at_once(one, range(16))
        require(lists[0] and all(names == lists[0] for names in lists), f"equal lists: {lists}")


@case("initialize again and again opens a session each time, and none ends another")
def initialize_repeatedly(context):
    with context.bridge(commands.everything()) as bridge:
        sessions = [Session(bridge.url).open() for _ in range(20)]
        require_equal(len({session.id for session in sessions}), 20, "different session ids")
        first = sessions[0]
        again = first.post(message("initialize", INITIALIZE, 9))
        require(again.status in (200, 400), f"initialize inside of a session is served or refused: {again}")
        sessions[1].close()
        ended = sessions.pop(1)
        require_equal(ended.post(message("tools/list", None, 1)).status, 404, "the status after DELETE")
        at_once(lambda session: require(tool_names(session), "the session works"), sessions)


@case("the revision that a client asks for is the one it gets, and an unknown one gets a known one")
def revisions(context):
    with context.bridge(commands.echo()) as bridge:
        for revision in ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"):
            with Session(bridge.url).open(revision) as session:
                require_equal(session.version, revision, "the agreed revision")
                require(tool_names(session), "tools")
        with Session(bridge.url).open("1999-01-01") as session:
            require(session.version.startswith("20"), f"a known revision: {session.version}")


@case("a client that forgets its session id is served, and refused only with --stateful")
def forgotten_session_id(context):
    with context.bridge(commands.everything()) as bridge:
        forgetful = Session(bridge.url).open()
        forgetful.id = forgetful.version = None
        forgetful.notify("notifications/initialized")
        require(tool_names(forgetful), "tools without a session id")
        require_equal(forgetful.call("echo", {"message": "x"}), "Echo: x", "a call without a session id")
    with context.bridge(commands.everything(), "--stateful") as bridge:
        answer = post(bridge.url, message("tools/list", None, 1))
        require_equal((answer.status, "error" in answer.messages[0]), (400, True), "--stateful without a session id")


@case("an unknown session id is 404 at once for every method")
def unknown_session(context):
    with context.bridge(commands.everything()) as bridge:
        for method, body in (("POST", message("tools/list", None, 1)), ("GET", None), ("DELETE", None)):
            answer = exchange(bridge.url, method, body, session="no-such-session", limit=5)
            require_equal(answer.status, 404, f"{method} with an unknown session id")


@case("with --stateless no session id is given, GET and DELETE are refused, and any client is served")
def stateless_only(context):
    with context.bridge(commands.everything(), "--stateless") as bridge:
        answer = post(bridge.url, message("initialize", INITIALIZE, 0))
        require("result" in answer.response_to(0), f"initialize: {answer}")
        require("mcp-session-id" not in answer.headers, "no session id")
        for method in ("GET", "DELETE"):
            answer = exchange(bridge.url, method)
            require_equal(answer.status, 405, method)
            require("POST" in answer.headers.get("allow", ""), f"{method} says what is allowed: {answer.headers}")
        require(tool_names(Session(bridge.url)), "tools")


# -- old and careless clients ------------------------------------------------------------------------------------------

@case("a batch is answered with one answer for each request, whatever else is in it")
def batches(context):
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open("2025-03-26") as session:
        batch = [message("notifications/initialized"), message("tools/list", {}, 1),
                 message("tools/call", {"name": "echo", "arguments": {"message": "hi"}}, "two"),
                 message("no/such/method", {}, 3)]
        for client in (session, Session(bridge.url)):
            answers = {one["id"]: one for one in client.post(batch).messages}
            require_equal(set(answers), {1, "two", 3}, "the ids of the answers")
            require(answers[1]["result"]["tools"], "tools")
            require_equal(answers["two"]["result"]["content"][0]["text"], "Echo: hi", "the echo")
            require_equal(answers[3]["error"]["code"], -32601, "the error")
            only = client.post([message("notifications/initialized")] * 2)
            require_equal((only.status, only.body), (202, b""), "a batch of notifications")
            require_equal(client.post([]).status, 400, "an empty batch")


@case("any Accept that admits an answer is accepted: none, wildcards, one type only; and the path with a slash")
def accepts(context):
    kinds = {None: None, "*/*": None, "application/*": "application/json", "text/*": "text/event-stream",
             "application/json": "application/json", "text/event-stream": "text/event-stream",
             "application/json;q=0.5, text/event-stream": None}
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        for accept, kind in kinds.items():
            answer = session.post(message("tools/list", None, 1), accept=accept)
            require(answer.response_to(1)["result"]["tools"], f"Accept: {accept} lists tools: {answer}")
            require(kind in (None, answer.headers["content-type"].split(";")[0]), f"Accept: {accept} gets {answer.headers}")
        slash = post(bridge.url + "/", message("tools/list", None, 1), session=session.id)
        require(slash.response_to(1)["result"]["tools"], "the path with a slash")


@case("ids and tokens come back as they were sent: 0, strings, a number as text")
def kinds_of_ids(context):
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        for ident in (0, "0", "", "list-1", -5, 1 << 53):
            answer = session.post(message("ping", None, ident))
            require_equal([(one["id"], type(one["id"])) for one in answer.messages], [(ident, type(ident))], "the id")
            with session.running(SLOW, slow(0.05, 2), ident=ident, token=ident or 0) as call:
                require_equal(call.response()["id"], ident, "the id on a stream")


# -- a session for every operation ---------------------------------------------------------------------------------------

@case(f"a session for every operation, {CYCLES} times, stays cheap and leaves nothing behind", runs_alone=True)
def session_per_operation(context):
    with context.bridge(commands.everything()) as bridge:
        child = bridge.child()
        start = time.monotonic()
        for i in range(CYCLES):
            with Session(bridge.url).open() as session:
                require_equal(session.call("echo", {"message": f"{i}"}), f"Echo: {i}", "the call")
        cycle = (time.monotonic() - start) / CYCLES
        context.note(f"{cycle * 1000:.1f} ms for a cycle of initialize, initialized, call, DELETE")
        require(cycle < CYCLE_SECONDS_MOST, f"{cycle:.2f} s for a cycle")
        require_equal(bridge.child(), child, "the server's process, which all sessions share")
