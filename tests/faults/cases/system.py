"""A failing system: a log that cannot be written, memory that runs out, a clock that jumps."""
import asyncio
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile

from bridge import fixture
from suite import Failure, Skip, case, check

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MIB = 1 << 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


async def make_it_log(bridge):
    """Refused requests, and a flood on a server's stderr."""
    for number in range(50):
        async with bridge.client() as client:
            await client.post(b"{")
            call = {"jsonrpc": "2.0", "id": number, "method": "tools/call",
                    "params": {"name": "stderr", "arguments": {"text": "x" * 4000}}}
            response = await asyncio.wait_for(client.post(call), 10)
            check(response.messages[0]["id"] == number and "result" in response.messages[0], str(response))


@case("a log on a full disk keeps nobody from being served")
async def full_disk(context):
    if not os.path.exists("/dev/full"):
        raise Skip("there is no /dev/full")
    with open("/dev/full", "wb") as full:
        async with context.bridge(fixture("echo.py"), "--port", free_port(), stderr=full.fileno()) as bridge:
            await make_it_log(bridge)
            await bridge.ping()


@case("a log in a pipe that nobody reads keeps nobody from being served, and what was lost is told later")
async def full_pipe(context):
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    async with context.bridge(fixture("echo.py"), "--port", free_port(), stderr=writing) as bridge:
        await make_it_log(bridge)
        await bridge.ping()
        seen = read_all(reading)
        check(len(seen) >= 32 << 10, "the pipe was not full")
        await asyncio.sleep(0)
        await make_it_log(bridge)
        told = re.search(rb"(\d+) records are missing here", seen + read_all(reading))
        check(told, "nothing is said of what was lost")
        context.note(f"{int(told[1])} records were lost and counted")
    os.close(reading)
    os.close(writing)


def fill(descriptor):
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 512)
    except BlockingIOError:
        os.set_blocking(descriptor, True)


@case("a pipe that is full before the start keeps nobody from being served, nor a failing start from ending")
async def full_pipe_before(context):
    reading, writing = os.pipe()
    fill(writing)
    port = free_port()
    async with context.bridge(fixture("echo.py"), "--port", port, stderr=writing) as bridge:
        await bridge.ping()
        second = await asyncio.create_subprocess_exec(context.path, "--port", port, "--", *fixture("echo.py"),
                                                      stderr=writing, stdin=asyncio.subprocess.DEVNULL)
        try:
            status = await asyncio.wait_for(second.wait(), 10)
        except asyncio.TimeoutError:
            second.kill()
            raise Failure("it waits for somebody to read why it cannot start") from None
        check(status == 1, f"its exit status is {status}")
    os.close(reading)
    os.close(writing)


@case("a log file that may not grow any more keeps nobody from being served")
async def file_size(context):
    with tempfile.TemporaryFile() as file:
        async with context.bridge(fixture("echo.py"), "--port", free_port(), stderr=file.fileno(),
                                  limits=[(resource.RLIMIT_FSIZE, 16 << 10)]) as bridge:
            await make_it_log(bridge)
            await bridge.ping()
        check(os.fstat(file.fileno()).st_size == 16 << 10, "the limit was not reached")


@case("a server has the limit of open files that the bridge was started with, which has raised its own")
async def file_limit(context):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard <= 300:
        raise Skip("the limit of open files cannot be raised here")
    script = "echo \"its limit is $(ulimit -Sn)\" >&2; exec \"$0\" \"$@\""
    async with context.bridge(["sh", "-c", script, *fixture("echo.py")],
                              limits=[(resource.RLIMIT_NOFILE, (300, hard))]) as bridge:
        check(resource.prlimit(bridge.pid, resource.RLIMIT_NOFILE) == (hard, hard), "the bridge's own is as it was")
        await bridge.until(lambda: bridge.has_logged("its limit is 300"), "the server says so")


@case("with too few descriptors for its own needs the bridge says so and ends")
async def few_descriptors(context):
    if context.is_sanitized:
        raise Skip("sanitizers need descriptors of their own")
    for count in range(6, 48):
        process = await asyncio.create_subprocess_exec(
            context.path, "--port", "0", "--", *fixture("echo.py"), stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=lambda count=count: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count)))
        try:
            _, text = await asyncio.wait_for(process.communicate(), 10)
        except asyncio.TimeoutError:
            process.kill()
            raise Failure(f"with {count} it does not end") from None
        check(process.returncode == 1 and f"the limit of open files is {count}".encode() in text,
              f"with {count} its exit status is {process.returncode}: {text}")
    context.note(text.decode().strip())


def read_all(descriptor):
    seen = b""
    try:
        while True:
            seen += os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return seen


@case("under a limit of memory that suits its ceilings, the bridge lives through a flood of large bodies")
async def memory_limit(context):
    if context.is_sanitized:
        raise Skip("sanitizers reserve more address space than any limit allows")
    async with context.bridge(fixture("echo.py"), "--max-body", "1MiB", "--max-connections", "40", "--max-in-flight", "40",
                              limits=[(resource.RLIMIT_AS, 256 * MIB)]) as bridge:
        async def one(number):
            async with bridge.client() as client:
                call = {"jsonrpc": "2.0", "id": number, "method": "raw/params", "params": {"x": "y" * 900000}}
                response = await asyncio.wait_for(client.post(call), 60)
                return response.status
        answers = await asyncio.gather(*(one(number) for number in range(120)))
        context.note(f"{answers.count(200)} of {len(answers)} answered, {answers.count(503)} told to come again; "
                     f"{bridge.rss_kib()} KiB in the end")
        check(set(answers) <= {200, 503} and answers.count(200) >= 40, str(answers))
        await bridge.ping()


@case("when memory runs out the bridge ends with a message, and leaves no process behind")
async def out_of_memory(context):
    if context.is_sanitized:
        raise Skip("sanitizers reserve more address space than any limit allows")
    async with context.bridge(fixture("awkward.py", "--mode", "grandchild"), "--max-body", "64MiB", status=-6,
                              limits=[(resource.RLIMIT_AS, 64 * MIB)]) as bridge:
        clients = [await bridge.client().__aenter__() for _ in range(4)]
        for client in clients:
            try:
                await asyncio.wait_for(client.send(client.request("POST", body=b"x" * (30 * MIB))[:-1]), 5)
            except (ConnectionError, asyncio.TimeoutError):
                break
        await asyncio.wait_for(bridge.process.wait(), 20)
        await asyncio.wait_for(bridge.reading, 10)
        context.note("its last words: " + bridge.lines[-1])
        check("memory" in bridge.lines[-1], "it does not say why")
        for client in clients:
            client.writer.close()


def build_clock(folder):
    compiler = shutil.which(os.environ.get("CC", "cc").split()[0])
    if not compiler:
        raise Skip("there is no compiler for clock_jumps.c")
    library = os.path.join(folder, "clock_jumps.so")
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, os.path.join(HERE, "clock_jumps.c"), "-ldl"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, done.stdout)
    return library


@case("a wall clock that jumps by years at every look ends no session, no call and no stream before its time")
async def clock(context):
    if context.is_sanitized:
        raise Skip("sanitizers want to be loaded first")
    with tempfile.TemporaryDirectory() as folder:
        # By the bridge alone: Python in the child looks at the clock, too.
        async with context.bridge(["env", "-u", "LD_PRELOAD", *fixture("echo.py")], "--request-timeout", "20s",
                                  "--session-timeout", "10s", "--stream-after", "500ms", "--heartbeat", "300ms",
                                  environment={"LD_PRELOAD": build_clock(folder)}) as bridge:
            years = {line[:4] for line in bridge.lines if re.match(r"\d{4}-", line)}
            check(len(years) > 1, f"the clock does not jump: {years}")
            async with bridge.client() as client:
                headers = await client.initialize()
                start = asyncio.get_running_loop().time()
                call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sleep", "arguments": {"ms": 1500}}}
                await client.send(client.request("POST", headers=headers, body=json.dumps(call).encode()))
                response = await client.read_head()
                opened = asyncio.get_running_loop().time() - start
                comments, text = 0, b""
                async for piece in client.pieces(response):
                    comments += piece.count(b": heartbeat")
                    text += piece
                check(b'"slept"' in text, f"no answer: {text[:300]}")
                check(0.4 < opened < 1.4, f"the stream opened after {opened:.2f} s, not after 0.5")
                check(2 <= comments <= 4, f"{comments} heartbeats in a second, not 3")
                check((await client.post({"jsonrpc": "2.0", "id": 2, "method": "ping"}, headers)).status == 200, "the session ended")
            context.note(f"years seen in the log: {', '.join(sorted(years))}")
