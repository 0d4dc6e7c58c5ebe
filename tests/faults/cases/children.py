"""Failing children: killed with calls under way, stopped, deaf."""
import asyncio
import os
import signal
import time

import processes
from bridge import fixture
from suite import case, check


def sleep_call(ident, milliseconds):
    return {"jsonrpc": "2.0", "id": ident, "method": "tools/call",
            "params": {"name": "sleep", "arguments": {"ms": milliseconds}}}


async def ask(bridge, message, seconds=30):
    async with bridge.client() as client:
        response = await asyncio.wait_for(client.post(message), seconds)
        check(not client.has_more() and len(response.messages) == 1, f"not one answer: {response}")
        return response.messages[0]


@case("each call that was under way when its child was killed gets one error that names the signal, and no other")
async def killed_with_calls(context):
    calls = 200
    async with context.bridge(fixture("echo.py")) as bridge:
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM):
            running = [asyncio.ensure_future(ask(bridge, sleep_call(one, 60000))) for one in range(calls)]
            await bridge.until(lambda: bridge.descriptors().count("socket") >= calls, "all calls run")
            async with bridge.client() as client:
                seen = {"jsonrpc": "2.0", "id": 0, "method": "tools/call",
                        "params": {"name": "seen", "arguments": {"method": "tools/call"}}}
                await bridge.until(lambda: seen_enough(client, seen, calls), "the child has all of them")
            start = time.monotonic()
            os.kill(bridge.children()[0], number)
            answers = await asyncio.gather(*running)
            context.note(f"{signal.Signals(number).name}: {calls} errors within {(time.monotonic() - start) * 1000:.0f} ms")
            check(sorted(one["id"] for one in answers) == list(range(calls)), "ids were lost or doubled")
            check(all(signal.Signals(number).name in one["error"]["message"] for one in answers), str(answers[0]))
            await bridge.until_ready()
        await bridge.until_no_client()


async def seen_enough(client, seen, calls):
    response = await client.post(seen)
    return len(response.messages[0]["result"]["structuredContent"]["seen"]) >= calls


@case("calls to a stopped child time out or wait, others are told at once, and it goes on when it is continued")
async def stopped_child(context):
    async with context.bridge(fixture("echo.py"), "--request-timeout", "2s", "--start-timeout", "3s") as bridge:
        child = bridge.children()[0]
        os.kill(child, signal.SIGSTOP)
        # More than its pipe holds: what does not fit waits in the bridge, up to its ceilings.
        large = [{"jsonrpc": "2.0", "id": one, "method": "raw/params", "params": {"x": "y" * 100000}} for one in range(100)]
        rss = bridge.rss_kib()
        answers = await asyncio.gather(*(ask(bridge, one) for one in large))
        timed_out = sum("timed out" in one.get("error", {}).get("message", "") or
                        "not ready" in one.get("error", {}).get("message", "") for one in answers)
        check(timed_out == len(large), f"only {timed_out} of {len(large)} timed out: {str(answers[0])[:300]}")
        context.note(f"{timed_out} calls timed out; memory grew by {bridge.rss_kib() - rss} KiB")
        async with bridge.client() as client:
            check((await client.get("/healthz")).status == 200, "the bridge's health")
        os.kill(child, signal.SIGCONT)

        async def works():
            return "result" in await ask(bridge, sleep_call(1, 1))
        await bridge.until(works, "it answers again")
        check(bridge.children() == [child], "it was restarted")


@case("a stopped child does not keep the bridge from ending")
async def stopped_at_the_end(context):
    async with context.bridge(fixture("echo.py")) as bridge:
        os.kill(bridge.children()[0], signal.SIGSTOP)
        start = time.monotonic()
    took = time.monotonic() - start
    context.note(f"ended within {took:.1f} s")
    check(took < 15, f"it took {took:.1f} s")


@case("what a killed bridge leaves behind is ended by the guardian, and a killed guardian is reaped")
async def killed_bridge(context):
    async with context.bridge(fixture("awkward.py", "--mode", "grandchild")) as bridge:
        guardian = [pid for pid, (_, _, name) in processes.below(bridge.pid).items() if name == "bridge-guardian"]
        os.kill(guardian[0], signal.SIGKILL)
        await bridge.until(lambda: bridge.zombies() == 0 and bridge.has_logged("the guardian was killed"), "it is reaped")
        await bridge.ping()
    async with context.bridge(fixture("awkward.py", "--mode", "grandchild"), status=-signal.SIGKILL) as bridge:
        await bridge.ping()
        bridge.process.kill()
        await bridge.process.wait()
