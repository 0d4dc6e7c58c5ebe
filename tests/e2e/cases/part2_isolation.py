"""Fifty clients on one server, as alike as can be: each gets what is its own, all of it, and nothing else."""
import asyncio
import collections
import json
import os
import time
import urllib.parse

from async_client import Client
from cases import commands
from suite import case, require, require_equal, until

CLIENTS = 50
MESSAGES = int(os.environ.get("E2E_ISOLATION_MESSAGES", "25000"))
SECONDS = max(40, MESSAGES / 500)
STEPS = 3
GROUPS = 10  # of clients that subscribe to the same resource
LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
ALL = "test://all"


class Witness:
    """One of the clients. It knows what it may hear, and keeps whatever it should not have heard."""

    def __init__(self, port, number):
        self.client = Client(port, self.hear)
        self.number = number
        self.name = f"client {number}"
        self.uri = f"test://group/{number % GROUPS}"
        self.level = LEVELS[number % len(LEVELS)]
        self.messages = 0
        self.progress = collections.Counter()  # per request id
        self.updates = collections.Counter()   # per URI
        self.logs = 0
        self.wrong = []

    def hear(self, message, ident):
        self.messages += 1
        method, params = message.get("method"), message.get("params", {})
        if method == "notifications/progress":
            # The token is the request's id, and so the same with every client; the message is not.
            right = ident is not None and params["progressToken"] == ident and params["message"] == self.name
            self.progress[ident] += 1
            right = right and params["progress"] == self.progress[ident]
        elif method == "notifications/resources/updated":
            right = ident is None and params["uri"] in (self.uri, ALL)
            self.updates[params["uri"]] += 1
        elif method == "notifications/message":
            right = params["data"] == self.name and LEVELS.index(params["level"]) >= LEVELS.index(self.level)
            self.logs += 1
        else:
            right = False
        if not right:
            self.wrong.append((ident, message))

    async def open(self):
        await self.client.open()
        for method, params in (("logging/setLevel", {"level": self.level}), ("resources/subscribe", {"uri": self.uri}),
                               ("resources/subscribe", {"uri": ALL})):
            answer = await self.client.request(method, params)
            require_equal(answer.get("result"), {}, f"{self.name}: the answer to {method}")
            self.messages += 2

    async def round(self, number):
        """Calls in the same order as all the others, with the same ids and tokens."""
        said = {"who": self.name, "round": number}
        answer = await self.client.call("echo", **said)
        require_equal(json.loads(answer["content"][0]["text"]), said, f"{self.name}: the answer to echo")
        ident = int(next(self.client.idents)) + 1  # skips one, so that the token is known before the request is sent
        await self.client.call("progress", token=ident, n=STEPS, ms=0, message=self.name)
        require_equal(self.progress[ident], STEPS, f"{self.name}: progress of request {ident}")
        await self.client.call("log", level=LEVELS[number % len(LEVELS)], data=self.name)
        await self.client.call("update", uri=ALL if number % 10 == 0 and self.number == 0 else self.uri)
        self.messages += 8  # the requests and their answers


    async def log(self):
        """Alone, so that it is certain whose they are: of the eight levels it hears its own and those above."""
        before = self.logs
        for level in LEVELS:
            await self.client.call("log", level=level, data=self.name)
        self.messages += 2 * len(LEVELS)
        wanted = len(LEVELS) - LEVELS.index(self.level)
        require_equal(self.logs - before, wanted, f"{self.name}: the log messages from {self.level} on")


async def run(port, rounds):
    witnesses = [Witness(port, number) for number in range(CLIENTS)]
    await asyncio.gather(*(one.open() for one in witnesses))
    for one in witnesses:
        await one.log()

    async def play(one):
        for number in range(rounds):
            await one.round(number)

    await asyncio.gather(*map(play, witnesses))
    for_all = (rounds + 9) // 10
    members = CLIENTS // GROUPS
    wanted = [{one.uri: members * rounds - (0 if one.number % GROUPS else for_all), ALL: for_all} for one in witnesses]
    end = time.monotonic() + 10
    while [dict(one.updates) for one in witnesses] != wanted and time.monotonic() < end:
        await asyncio.sleep(0.01)
    for one in witnesses:
        one.client.close()
    return witnesses, wanted


@case("fifty clients with equal ids, tokens, resources and levels on one server: not one message reaches the wrong one",
      runs_alone=True)
def fifty_clients(context):
    rounds = -(-MESSAGES // (CLIENTS * (8 + STEPS + CLIENTS // GROUPS)))
    with context.bridge(commands.echo()) as bridge:
        start = time.monotonic()
        witnesses, wanted = asyncio.run(asyncio.wait_for(run(urllib.parse.urlsplit(bridge.url).port, rounds), SECONDS))
        messages = sum(one.messages for one in witnesses)
        logs = sum(one.logs for one in witnesses)
        context.note(f"{messages} messages in {time.monotonic() - start:.1f} s, of them {logs} log messages")
        wrong = [(one.name, *found) for one in witnesses for found in one.wrong]
        require(not wrong, f"{len(wrong)} messages reached the wrong one; the first: {wrong[:1]}")
        for one, updates in zip(witnesses, wanted):
            require_equal(dict(one.updates), updates, f"{one.name}: the updates it heard")
        require(messages >= MESSAGES, f"{messages} messages, wanted {MESSAGES}")
        until(lambda: bridge.child(), "the one server")
