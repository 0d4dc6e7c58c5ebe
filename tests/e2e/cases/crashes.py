"""The server dies in the middle of its work. Every call is answered, and the next one finds a new server."""
import itertools
import os
import re
import signal
import threading
import time

from cases import commands
from suite import at_once, case, require, require_equal, until
from wire import Session, message, post

CALLS = 100
ANSWER_SECONDS = 1.0


def params(name, **arguments):
    return {"name": name, "arguments": arguments}


class Calls:
    """Many calls at once on one session, each with the time of its answer."""

    def __init__(self, session, all_params):
        self.session = session
        self.answers = []
        self._threads = [threading.Thread(target=self._call, args=pair, daemon=True) for pair in enumerate(all_params)]
        for thread in self._threads:
            thread.start()

    def _call(self, index, one):
        ident = f"call {index}"
        try:
            answer = self.session.post(message("tools/call", one, ident))
            verdict = answer.response_to(ident)
        except Exception as failure:  # judged in wait()
            verdict = failure
        self.answers.append((time.monotonic(), verdict))

    def wait(self):
        """[(time, response)] for all, in the order of their answers."""
        for thread in self._threads:
            thread.join()
        broken = [verdict for _, verdict in self.answers if isinstance(verdict, Exception)]
        require(not broken, f"{len(broken)} calls got no JSON-RPC answer with status 200; the first: {broken[:1]}")
        return self.answers


def judge(context, answers, killed, results):
    """All within a second, and at most so many results; the rest are errors that say what happened."""
    late = max(moment for moment, _ in answers) - killed
    errors = [response["error"] for _, response in answers if "error" in response]
    context.note(f"last answer {late * 1000:.0f} ms after the kill; {len(answers) - len(errors)} results, {len(errors)} errors")
    require_equal(len(answers), CALLS, "answers")
    require(late < ANSWER_SECONDS, f"the last answer came {late:.2f} s after the kill")
    require(len(answers) - len(errors) in results, f"{len(answers) - len(errors)} results, expected {results}")
    for error in errors:
        require(isinstance(error.get("code"), int), f"an error has a code: {error}")
        require(re.search(r"\b9\b|SIGKILL|killed", error["message"], re.IGNORECASE), f"it names the signal: {error}")


def require_next_call_works(session, old_pid):
    pid = int(session.call("pid"))
    require(pid != old_pid, "another process answers")


def count_of_calls(session):
    result = session.request("tools/call", params("seen", method="tools/call"))
    return len(result["structuredContent"]["seen"])


@case("kill -9 of the server while 100 calls run: each gets an error within a second, the session goes on", runs_alone=True)
def killed_while_all_run(context):
    with context.bridge(commands.echo()) as bridge, Session(bridge.url).open() as session:
        pid = int(session.call("pid"))
        running = Calls(session, [params("never")] * CALLS)
        others = itertools.count(2)  # the calls of `pid` and `seen` count too
        until(lambda: count_of_calls(session) - next(others) >= CALLS, "the server has all calls")
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        judge(context, running.wait(), killed, range(0, 1))
        require_next_call_works(session, pid)


@case("kill -9 of the server while 100 calls end one by one: each has its result or an error", runs_alone=True)
def killed_while_some_end(context):
    with context.bridge(commands.echo()) as bridge, Session(bridge.url).open() as session:
        pid = int(session.call("pid"))
        running = Calls(session, [params("sleep", ms=200 + 50 * i) for i in range(CALLS)])
        until(lambda: len(running.answers) >= CALLS // 4, "a quarter of the calls is answered")
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        judge(context, running.wait(), killed, range(CALLS // 4, CALLS * 3 // 4))
        require_next_call_works(session, pid)


@case("kill -9 of a real server under 100 calls with progress: all end, and sessions and stateless calls go on",
      runs_alone=True)
def killed_real_server(context):
    slow = "trigger-long-running-operation"
    with context.bridge(commands.everything()) as bridge, Session(bridge.url).open() as session:
        streams = at_once(lambda i: session.running(slow, {"duration": 600, "steps": 6000}, i, i), range(CALLS))
        killed = time.monotonic()
        os.kill(bridge.child(), signal.SIGKILL)
        ends = at_once(lambda stream: ([one for one in stream.rest() if "method" not in one], time.monotonic()), streams)
        judge(context, [(moment, found[0] if found else {}) for found, moment in ends], killed, range(0, 1))
        require_equal([found[0]["id"] for found, _ in ends], list(range(CALLS)), "the ids of the errors")
        for client in (session, Session(bridge.url)):
            require_equal(client.call("get-sum", {"a": 1, "b": 2}), "The sum of 1 and 2 is 3.", "the next call")


@case("a server killed again and again: the session survives and every call is answered", runs_alone=True)
def killed_again_and_again(context):
    with context.bridge(commands.echo()) as bridge, Session(bridge.url).open() as session:
        for _ in range(4):
            os.kill(int(session.call("pid")), signal.SIGKILL)
            # Between the kill and its notice a call may still be written to the dead one: an error then, never silence.
            answer = session.answer("tools/call", params("echo", x=1))
            require("result" in answer or "error" in answer, f"an answer: {answer}")
        require_equal(post(bridge.url, message("ping", None, 1), session=session.id).status, 200, "the session's status")
