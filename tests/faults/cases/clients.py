"""Hostile clients: cut at every byte, slow, too many, idle by the thousand, deaf."""
import asyncio
import json
import resource
import time

from bridge import fixture
from client import Client, Gone
from processes import cpu_seconds
from suite import case, check

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
STREAMS = 1000
HEAD_SECONDS = 10      # the bridge's own
SLOW_CLIENTS = 200


def raise_own_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def keep_asking(bridge, while_running, seconds=2.0):
    """A good client beside the others; returns the slowest of its answers."""
    slowest = 0.0
    while not while_running.done():
        slowest = max(slowest, await bridge.ping(seconds))
        await asyncio.sleep(0.05)
    await while_running
    return slowest


async def cut_at_every_byte(bridge, data, way):
    for size in range(len(data) + 1):
        async with bridge.client() as client:
            await client.send(data[:size])
            way(client)
            if way is Client.half_close:
                try:
                    while await client.reader.read(1 << 16):
                        pass
                except ConnectionError:
                    pass


@case("requests that are reset, closed or half closed after any of their bytes leave nothing behind")
async def cuts(context):
    async with context.bridge(fixture("echo.py")) as bridge:
        plain = Client(bridge.port).request("POST", body=PING)
        chunked = (f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{bridge.port}\r\nContent-Type: application/json\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n14;a=b\r\n").encode() + PING[:20] + b"\r\n14\r\n" + PING[20:]
        chunked += b"\r\n0\r\nX-A: b\r\n\r\n"
        slowest = 0.0
        for data in (plain, chunked):
            for way in (Client.reset, Client.half_close, lambda client: None):
                task = asyncio.ensure_future(cut_at_every_byte(bridge, data, way))
                slowest = max(slowest, await keep_asking(bridge, task))
        context.note(f"{3 * (len(plain) + len(chunked) + 2)} cuts; the slowest answer beside them: {slowest * 1000:.0f} ms")
        await bridge.until_no_client()


async def drip(bridge, answers):
    """One byte now and then, for as long as the bridge allows."""
    async with bridge.client() as client:
        data = client.request("POST", headers=["X-A: " + "b" * 1000], body=PING)
        answer = asyncio.ensure_future(client.read_response())
        for byte in data:
            if answer.done():
                break
            await client.send(bytes([byte]))
            await asyncio.wait([answer], timeout=0.5)
        answers.append((await answer).status)


@case("two hundred clients that drip their heads are let go with 408, and a good one is served beside them")
async def slowloris(context):
    raise_own_limit()
    async with context.bridge(fixture("echo.py")) as bridge:
        answers = []
        start = time.monotonic()
        task = asyncio.ensure_future(asyncio.wait_for(
            asyncio.gather(*(drip(bridge, answers) for _ in range(SLOW_CLIENTS))), HEAD_SECONDS + 10))
        slowest = await keep_asking(bridge, task)
        context.note(f"let go after {time.monotonic() - start:.1f} s; the slowest answer beside them: {slowest * 1000:.0f} ms")
        check(answers == [408] * SLOW_CLIENTS, f"the answers were {sorted(set(answers))}")
        check(bridge.line_count < 50, f"{bridge.line_count} lines of log")
        await bridge.until_no_client()


async def read_one_event(client, response):
    async for message in client.events(response):
        return message


@case("a thousand sessions with an idle stream each cost little, hear a broadcast, and slow nobody down")
async def idle_streams(context):
    raise_own_limit()
    async with context.bridge(fixture("echo.py")) as bridge:
        rss, cpu = bridge.rss_kib(), cpu_seconds(bridge.pid)
        clients, streams = [], []
        for _ in range(STREAMS):
            clients.append(await bridge.client().__aenter__())
            headers = await clients[-1].initialize()
            streams.append(await clients[-1].listen(headers))
        slowest = max([await bridge.ping() for _ in range(50)])
        grown = bridge.rss_kib() - rss
        cpu = cpu_seconds(bridge.pid) - cpu
        idle = cpu_seconds(bridge.pid)
        await asyncio.sleep(1)
        idle = cpu_seconds(bridge.pid) - idle
        hearing = [asyncio.ensure_future(read_one_event(*one)) for one in zip(clients, streams)]
        async with bridge.client() as client:
            await client.post({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                "name": "trigger", "arguments": {"method": "notifications/tools/list_changed"}}})
        heard = await asyncio.wait_for(asyncio.gather(*hearing), 20)
        context.note(f"{STREAMS} streams: {grown / STREAMS:.1f} KiB each, {cpu * 1e6 / STREAMS:.0f} us of processor to open one, "
                     f"{idle * 100:.1f} % of it when idle; the slowest answer beside them: {slowest * 1000:.0f} ms")
        check(all(one["method"] == "notifications/tools/list_changed" for one in heard), "not all heard of it")
        context.check_memory(grown < 20 * STREAMS, f"they take {grown} KiB")
        check(idle < 0.2, f"idle streams take {idle:.2f} s of processor in a second")
        for client in clients:
            client.reset()
        await bridge.until_no_client()


@case("a flood of connections stays below the ceiling, and each of them is served in the end")
async def connection_flood(context):
    ceiling, wanted = 50, 600
    raise_own_limit()
    async with context.bridge(fixture("echo.py"), "--max-connections", str(ceiling)) as bridge:
        most = 0

        async def one():
            nonlocal most
            async with bridge.client() as client:
                response = await client.post(PING)
                most = max(most, bridge.descriptors().count("socket") - bridge.quiet.count("socket"))
                return response.status
        answers = await asyncio.wait_for(asyncio.gather(*(one() for _ in range(wanted))), 60)
        context.note(f"{wanted} connections at once, at most {most} of them open")
        check(answers == [200] * wanted, "not all were served")
        # One more may wait in the hands of the event loop.
        check(most <= ceiling + 1, f"{most} connections were open")
        check(bridge.line_count < 30, f"{bridge.line_count} lines of log")
        await bridge.until_no_client()


@case("without file descriptors accepting pauses, costs no processor, and goes on when one is free")
async def descriptors(context):
    raise_own_limit()
    async with context.bridge(fixture("echo.py"), limits=[(resource.RLIMIT_NOFILE, 80)]) as bridge:
        held = [await bridge.client().__aenter__() for _ in range(200)]
        await bridge.until(lambda: bridge.has_logged("file descriptors run out"), "a warning")
        first = held[0]
        check((await asyncio.wait_for(first.post(PING), 5)).status == 200, "one that is in is not served")
        cpu = cpu_seconds(bridge.pid)
        await asyncio.sleep(2)
        cpu = cpu_seconds(bridge.pid) - cpu
        open_now = len(bridge.descriptors())
        check(cpu < 0.3, f"it takes {cpu:.1f} s of processor in 2 s")
        # A child of its own cannot be started now, or can: whichever, the client is told.
        response = await asyncio.wait_for(first.post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {"sampling": {}}, "clientInfo": {"name": "x", "version": "1"}}}), 20)
        for client in held[1:]:
            client.reset()
        context.note(f"{open_now} descriptors open of 80; a child of its own meanwhile: {response.status}; {cpu:.2f} s of processor in 2 s")
        await bridge.ping()
        first.reset()
        check(bridge.line_count < 40, f"{bridge.line_count} lines of log")


@case("where no descriptor is left for a child, its client is told, and later ones are served")
async def no_descriptor_for_a_child(context):
    sessions = 20
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}
    async with context.bridge(fixture("echo.py"), "--children", "session", "--start-timeout", "3s",
                              limits=[(resource.RLIMIT_NOFILE, 64)]) as bridge:
        async def one():
            async with bridge.client() as client:
                response = await asyncio.wait_for(client.post(hello), 60)
                check(len(response.messages) == 1, str(response))
                return response
        answers = await asyncio.gather(*(one() for _ in range(sessions)))
        opened = [one for one in answers if "mcp-session-id" in one.headers]
        context.note(f"{len(opened)} of {sessions} children started; the others' clients got "
                     f"{sorted({one.messages[0]['error']['message'] for one in answers if one not in opened})}")
        check(opened and len(opened) < sessions, "the descriptors did not run out")
        for response in opened:
            async with bridge.client() as client:
                await client.send(client.request("DELETE", headers=["Mcp-Session-Id: " + response.headers["mcp-session-id"]]))
                await client.read_response()
        await bridge.until(lambda: len(bridge.children()) <= 1 and bridge.zombies() == 0, "the children end")
        check("mcp-session-id" in (await one()).headers, "a later client is not served")


@case("a reader that does not read costs bounded memory, whatever the server sends, and harms nobody")
async def slow_reader(context):
    count = 1000000
    async with context.bridge(fixture("awkward.py", "--mode", "progress-flood", "--count", str(count))) as bridge:
        await bridge.ping()
        rss = bridge.rss_kib()
        peak = 0
        async with bridge.client() as deaf, bridge.client() as listener:
            headers = await listener.initialize()
            await listener.listen(headers)
            deaf.writer.transport.pause_reading()
            listener.writer.transport.pause_reading()
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": {"name": "echo", "arguments": {}, "_meta": {"progressToken": "t"}}}
            await deaf.send(deaf.request("POST", body=json.dumps(call).encode()))
            async with bridge.client() as other:
                call["id"] = 2
                asking = asyncio.ensure_future(asyncio.wait_for(other.post(call), 90))
                while not asking.done():
                    peak = max(peak, bridge.rss_kib())
                    await asyncio.sleep(0.05)
                response = await asking
            finals = [one for one in response.messages if "id" in one]
            context.note(f"{2 * count} messages of progress and {2 * count // 10} of changed lists; memory grew by {peak - rss} KiB "
                         f"at most; one that reads got {len(response.messages) - 1} and its answer")
            check(len(finals) == 1 and finals[0]["id"] == 2, "the answer did not come")
            context.check_memory(peak - rss < 48 * 1024, f"memory grew by {peak - rss} KiB")
            await bridge.ping()
            deaf.writer.transport.resume_reading()
            response = await asyncio.wait_for(deaf.read_response(), 30)
            finals = [one for one in response.messages if "id" in one]
            check(len(finals) == 1, f"the slow reader's answer came {len(finals)} times")
            deaf.reset()
            listener.reset()
        await bridge.until_no_client()


@case("bodies that come byte by byte, and answers that nobody reads, hold no memory for long")
async def held_bodies(context):
    async with context.bridge(fixture("echo.py"), "--max-body", "1MiB") as bridge:
        rss = bridge.rss_kib()
        clients = [await bridge.client().__aenter__() for _ in range(64)]
        for client in clients:
            head = client.request("POST", body=b"x" * (1 << 20))
            await client.send(head[:-1])
        await bridge.until(lambda: bridge.rss_kib() > rss + 32 * 1024, "the bodies are there")
        held = bridge.rss_kib() - rss
        await bridge.ping()
        for client in clients:
            client.reset()
        await bridge.until_no_client()
        await bridge.until(lambda: context.is_sanitized or bridge.rss_kib() - rss < held // 2, "the memory is given back")
        context.note(f"64 bodies held {held} KiB; afterwards {bridge.rss_kib() - rss} KiB")


@case("bodies that are too much together are refused with 503, and memory stays below the ceiling")
async def too_many_bodies(context):
    size, ceiling, wanted = 15 << 20, 256 << 10, 24
    async with context.bridge(fixture("echo.py")) as bridge:
        rss = bridge.rss_kib()
        answers = []

        async def hold():
            async with bridge.client() as client:
                await client.send(client.request("POST", body=b" " * size)[:-1])
                answers.append(await client.read_response())
        holding = [asyncio.ensure_future(hold()) for _ in range(wanted)]
        await bridge.until(lambda: len(answers) >= wanted - (ceiling << 10) // size - 1, "those beyond the ceiling are told")
        most = bridge.rss_kib() - rss
        await bridge.ping()
        await bridge.until(lambda: context.is_sanitized or bridge.rss_kib() - rss < ceiling * 9 // 8, "only the bodies are kept")
        for one in holding:
            one.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        context.note(f"{wanted} bodies of 15 MiB: {len(answers)} refused, memory grew by {most >> 10} MiB")
        check({(one.status, one.headers.get("retry-after")) for one in answers} == {(503, "1")}, str(answers))
        context.check_memory(most < ceiling * 3 // 2, f"memory grew by {most} KiB")
        await bridge.until_no_client()


@case("answers that are too much together cost the clients that do not read them their connections, and no other")
async def too_many_answers(context):
    ceiling, wanted = 256 << 10, 20
    async with context.bridge(fixture("echo.py")) as bridge:
        rss = bridge.rss_kib()
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "big", "arguments": {"bytes": 30 << 20}}}
        deaf = [await bridge.client().__aenter__() for _ in range(wanted)]
        most = 0
        for client in deaf:
            client.writer.transport.pause_reading()
            await client.send(client.request("POST", body=json.dumps(call).encode()))
            await asyncio.sleep(0.05)
            most = max(most, bridge.rss_kib() - rss)
            await bridge.ping()
        async with bridge.client() as client:
            response = await asyncio.wait_for(client.post(call), 60)
            check("result" in response.messages[0], "one that reads is not answered")
        await bridge.until(lambda: bridge.has_logged("cut a client that had not read"), "one is cut")
        most = max(most, bridge.rss_kib() - rss)
        context.note(f"{wanted} answers of 30 MiB that nobody reads: memory grew by {most >> 10} MiB at most")
        context.check_memory(most < ceiling * 3 // 2, f"memory grew by {most} KiB")
        for client in deaf:
            client.reset()
        await bridge.until_no_client()


@case("an answer of a connection that was cut goes to nobody else")
async def no_crossing(context):
    async with context.bridge(fixture("echo.py")) as bridge:
        async def one(number):
            async with bridge.client() as client:
                call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                        "params": {"name": "echo", "arguments": {"mine": number}}}
                if number % 3 == 0:
                    await client.send(client.request("POST", body=json.dumps(call).encode()))
                    client.reset()
                    return
                response = await client.post(call)
                check(json.loads(response.messages[0]["result"]["content"][0]["text"]) == {"mine": number}, str(response))
        for start in range(0, 600, 50):
            try:
                await asyncio.wait_for(asyncio.gather(*(one(number) for number in range(start, start + 50))), 30)
            except Gone as error:
                check(False, f"a connection ended: {error}")
        await bridge.until_no_client()
