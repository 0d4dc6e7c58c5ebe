"""The bridge as the first process of a container."""
import asyncio
import os
import signal
import subprocess
import sys

import processes
from bridge import Bridge
from suite import Skip, case, check

ORPHANS = 1000
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVER = [sys.executable, os.path.join(HERE, "orphan_maker.py"), str(ORPHANS)]
UNSHARE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def need_unshare():
    """As root, or with a user namespace of one's own, whichever the machine allows."""
    for wrap in (UNSHARE, ["unshare", "--user", "--map-root-user", *UNSHARE[1:]]):
        try:
            done = subprocess.run([*wrap, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return wrap
    raise Skip("unshare --pid is not allowed here")


class First(Bridge):
    """Below `unshare`, which waits for it and passes its exit status on."""

    async def __aenter__(self):
        await super().__aenter__()
        outer = self.pid
        self.pid = next(pid for pid, (parent, _, _) in processes.below(outer).items() if parent == outer)
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            numbers = next(line.split()[1:] for line in status if line.startswith("NSpid:"))
        check(numbers[-1] == "1", f"its number is {numbers[-1]}, not 1")
        return self

    def zombies(self):
        return sum(state == "Z" for _, state, _ in processes.below(self.pid, with_dead=True).values())

    async def stop(self, number):
        os.kill(self.pid, number)
        return await self.process.wait()


def first(context):
    bridge = First(context.path, SERVER, wrap=need_unshare())
    context.bridges.append(bridge)
    return bridge


async def call(bridge, tool):
    async with bridge.client() as client:
        response = await client.post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}})
        check("result" in response.messages[0], str(response))
        return response.messages[0]["result"]["structuredContent"]


@case("as PID 1 the bridge reaps a thousand orphans, and still hears of its own child's end")
async def orphans(context):
    async with first(context) as bridge:
        made = await call(bridge, "orphans")
        check(made["count"] == ORPHANS, str(made))
        await bridge.until(lambda: bridge.zombies() == 0 and len(processes.below(bridge.pid)) == 2, "no zombie is left")
        context.note(f"{ORPHANS} orphans, {bridge.zombies()} zombies")
        os.kill(bridge.children()[0], signal.SIGKILL)
        await bridge.until(lambda: bridge.has_logged("was killed by signal 9 (SIGKILL)"), "it hears of its child's end")
        await bridge.ping()
        check((await bridge.stop(signal.SIGTERM)) == 0, "its exit status is not 0")


@case("as PID 1 the bridge drains on SIGTERM and SIGINT, ends at once on the second, and nothing outlives it")
async def signals(context):
    for number, again, status in ((signal.SIGTERM, False, 0), (signal.SIGINT, False, 0), (signal.SIGTERM, True, 128 + 15)):
        bridge = first(context)
        bridge.status = status
        async with bridge:
            everything = processes.below(bridge.process.pid)
            async with bridge.client() as client:
                if again:
                    # A call that would hold up the drain.
                    await client.send(client.request("POST", body=b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"never"}}'))
                    await bridge.ping()
                os.kill(bridge.pid, number)
                if again:
                    await bridge.until(lambda: bridge.has_logged("finishing what runs"), "it drains")
                    await asyncio.sleep(1.1)  # sooner it would count as the first
                    os.kill(bridge.pid, number)
                ended = await bridge.process.wait()
            check(ended == status, f"{signal.Signals(number).name}: its exit status is {ended}, not {status}")
            check(not set(everything) & set(processes.below(os.getpid())), "something outlives it")


@case("what a shell had started before it became the bridge is reaped, too")
async def inherited(context):
    script = "for i in 1 2 3 4 5; do sleep 0.3 & done; exec \"$0\" \"$@\""
    bridge = Bridge(context.path, SERVER, wrap=["sh", "-c", script])
    context.bridges.append(bridge)
    async with bridge:
        await bridge.until(lambda: not any(name == "sleep" for _, _, name in
                                           processes.below(bridge.pid, with_dead=True).values()), "they are reaped")
