#!/usr/bin/env python3
"""A guard against getting slower: the program's instructions for each call, counted by callgrind, beside checked-in ones.

    tests/bench/instructions.py [--bench FOLDER] [--bridge PROGRAM] [--update]

Unlike time, the count is the same on a busy machine. It is not the same with another compiler or other libraries: where
they are not those of instructions.json, there is nothing to compare with, and the tests are skipped. A change that is
meant to cost something runs this with --update. Prints TAP.
"""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIGURES = os.path.join(ROOT, "tests/bench/instructions.json")
TOLERANCE = 0.05
FEW, MANY = 200, 1200  # what both have in common is the start and the end
DEADLINE = 60  # seconds for anything to happen

# The load client's options; one call after the other, so that each takes the same turns of the loop.
PATHS = {
    "a call without a session": ["--connections", "1"],
    "a call in a session": ["--connections", "1", "--sessions", "1"],
    "a session for a call": ["--connections", "1", "--churn", "1"],
    "a call with 10 progress events": ["--connections", "1", "--sessions", "1", "--progress", "10"],
    "a call with 64 KiB there and back": ["--connections", "1", "--sessions", "1", "--payload", "65536"],
    "a call of 2026-07-28, translated": ["--connections", "1", "--modern", "1"],
    "a call of 2026-07-28, relayed": ["--connections", "1", "--modern", "1"],
    "a call in a session, translated": ["--connections", "1", "--sessions", "1"],
}
MODERN_SERVER = {"a call of 2026-07-28, relayed", "a call in a session, translated"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the bridge does not listen under callgrind")


def count_instructions(arguments, path, calls, folder):
    """All instructions of a bridge that serves so many calls and ends."""
    server = [os.path.join(arguments.bench, "server")] + (["modern"] if path in MODERN_SERVER else [])
    port = free_port()
    output = os.path.join(folder, "callgrind.out")
    bench = arguments.bench
    process = subprocess.Popen(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", arguments.bridge, "--port", str(port), "--quiet",
         "--", *server], env={**os.environ, "LD_PRELOAD": os.path.join(bench, "no_launcher.so")},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        wait_for_port(port, process)
        done = subprocess.run([os.path.join(bench, "load"), "--port", str(port), "--calls", str(calls), *PATHS[path]],
                              capture_output=True, text=True, check=False, timeout=DEADLINE)
        if done.returncode != 0:
            raise RuntimeError(f"the calls failed: {done.stdout.strip()}")
        process.terminate()
        _, text = process.communicate(timeout=DEADLINE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    # The bridge's guardian is a process of its own and reports, too: the bridge is the one with this number.
    found = re.search(rf"=={process.pid}== Collected : (\d+)", text)
    if not found:
        raise RuntimeError("callgrind did not say how many instructions there were")
    return int(found[1])


def instructions_per_call(arguments, path):
    with tempfile.TemporaryDirectory() as folder:
        few = count_instructions(arguments, path, FEW, folder)
        many = count_instructions(arguments, path, MANY, folder)
    return round((many - few) / (MANY - FEW))


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    except OSError:
        return ""


def describe_surroundings():
    """What the count depends on, besides our code."""
    compiler = first_line(os.environ.get("CC", "cc"), "--version")
    library = first_line("getconf", "GNU_LIBC_VERSION")
    packages = " ".join(f"{name} {first_line('pkg-config', '--modversion', name)}" for name in ("libuv", "libcjson"))
    processor = "?"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        if re.search(r"^flags\s*:.*\bavx2\b", file.read(), re.MULTILINE):
            processor = "avx2"  # the C library chooses its functions by it
    return f"{compiler}, {library}, {packages}, {os.uname().machine}, {processor}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default=os.path.join(ROOT, "build/release/bench"))
    parser.add_argument("--bridge", default=os.path.join(ROOT, "mcp-bridge"))
    parser.add_argument("--update", action="store_true", help="write what is counted now as what is expected")
    arguments = parser.parse_args()
    # A program without a slash is looked for in PATH, and a library in the system's folders.
    arguments.bench, arguments.bridge = os.path.abspath(arguments.bench), os.path.abspath(arguments.bridge)
    surroundings = describe_surroundings()
    with open(FIGURES, encoding="utf-8") as file:
        expected = json.load(file)
    print(f"1..{len(PATHS)}", flush=True)
    is_comparable = arguments.update or expected["surroundings"] == surroundings
    if not is_comparable or not shutil.which("valgrind"):
        reason = "the figures are of another compiler or other libraries" if not is_comparable else "there is no valgrind"
        for number, name in enumerate(PATHS, 1):
            print(f"ok {number} - {name} # SKIP {reason}")
        return 0
    counted = {}
    is_good = True
    for number, name in enumerate(PATHS, 1):
        counted[name] = instructions_per_call(arguments, name)
        before = expected["instructions"].get(name, 0)
        is_fast = arguments.update or counted[name] <= before * (1 + TOLERANCE)
        is_good = is_good and is_fast
        print(f"{'ok' if is_fast else 'not ok'} {number} - {name}: {counted[name]} instructions, {before} expected",
              flush=True)
        if is_fast and counted[name] < before * (1 - TOLERANCE):
            print("# faster than before: tests/bench/instructions.py --update", flush=True)
    if arguments.update:
        with open(FIGURES, "w", encoding="utf-8") as file:
            json.dump({"surroundings": surroundings, "instructions": counted}, file, indent=1)
            file.write("\n")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
