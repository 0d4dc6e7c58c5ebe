#!/usr/bin/env python3
"""Measures mcp-bridge, the relays that show the limit, and the peers on the same works in one run.

    tests/bench/run.py [--short] [--works NAME,...] [--targets NAME,...] [--rounds N] [--seconds S] [--output FOLDER]

The rounds are interleaved: each work is run on every target in turn, then the next work, and all of it again. The peers,
which are far off, are left out of every second round. The median of the rounds is taken. Everything that is printed
stands in FOLDER/results.json too. `make bench` builds what this needs. Python's standard library is all that it needs
itself; the plots are drawn by plot.py.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from statistics import median

import report
from targets import PEERS, PROGRAMS, ROOT, SERVER, Running, all_targets
from works import WORKS

LOAD = os.path.join(PROGRAMS, "load")
PATIENCE = 20  # seconds for a target to open the sessions of a work


def log(text):
    print(text, file=sys.stderr, flush=True)


def output_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).strip()
    except OSError:
        return ""


def describe_machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    versions = {name: output_of("pkg-config", "--modversion", name) for name in ("libuv", "libcjson")}
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release().split("-")[0],
            "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
            "compiler": output_of("cc", "-dumpfullversion"), "libraries": versions,
            "load_average_at_start": round(os.getloadavg()[0], 2)}  # others' work on the same processors


# ---- Processes under measurement ----

class Fleet:
    """The targets' processes. Each is started when it is first needed, and serves all rounds."""

    def __init__(self):
        self.running = {}

    def get(self, target, work):
        kind = kind_for(target, work)
        key = (target.name, "both" if target.is_one_process else kind, work.server)
        running = self.running.get(key)
        if running is not None and running.process.poll() is None:
            return running
        running = Running(target, kind, work.server)
        self.running[key] = running
        running.listening_after()
        wait_until_serving(running)
        return running

    def drop(self, target):
        for key in [key for key in self.running if key[0] == target.name]:
            self.running.pop(key).stop()

    def stop(self):
        for running in self.running.values():
            running.stop()
        self.running = {}


def load_command(running, options, watch=True):
    command = [LOAD, "--port", str(running.port), "--path", running.target.path]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    if watch:
        for pid in running.pids():
            command += ["--watch", str(pid)]
    return command


def run_load(running, options, seconds):
    """The load client's figures; "error" among them says what went wrong."""
    options = {"seconds": seconds, "warmup": round(min(0.3, seconds / 3), 2), "patience": PATIENCE, **options}
    try:
        done = subprocess.run(load_command(running, options), capture_output=True, text=True, check=False,
                              timeout=PATIENCE + seconds + 30)
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, json.JSONDecodeError):
        return {"error": "the load client did not end", "errors": 1, "count": 0}


def wait_until_serving(running):
    end = time.perf_counter() + running.target.patience
    while time.perf_counter() < end:
        if not run_load(running, {"calls": 1, "connections": 1}, 1)["errors"]:
            return
        if not run_load(running, {"calls": 1, "connections": 1, "sessions": 1}, 1)["errors"]:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{running.target.name} does not answer")


# ---- The works ----

def kind_for(target, work):
    return work.kind if work.kind in target.kinds else target.kinds[0]


def can_do(target, work):
    return not work.server or not target.is_peer


def run_direct(work, seconds):
    payload = work.load.get("payload", 64)
    done = subprocess.run([LOAD, "direct", str(work.direct), str(seconds), str(payload), SERVER], capture_output=True,
                          text=True, check=False, timeout=seconds + 30)
    return json.loads(done.stdout)


def measure_works(works, targets, rounds, seconds):
    fleet = Fleet()
    results = {work.name: {} for work in works}
    try:
        for number in range(rounds):
            for work in works:
                for target in targets:
                    if not can_do(target, work) or (target.is_peer and number % 2 == 1):
                        continue
                    log(f"round {number + 1}: {work.name}: {target.name}")
                    seen = results[work.name].setdefault(target.name, [])
                    if seen and all("error" in one for one in seen):
                        continue  # once is enough to know that it cannot
                    seen.append(measure_once(fleet, target, work, seconds))
                if work.direct:
                    results[work.name].setdefault("server alone", []).append(run_direct(work, seconds * work.times))
    finally:
        fleet.stop()
    return {name: {target: summarize(runs) for target, runs in row.items()} for name, row in results.items()}


def measure_once(fleet, target, work, seconds):
    try:
        running = fleet.get(target, work)
    except RuntimeError as error:
        return {"error": str(error), "errors": 1, "count": 0}
    figures = run_load(running, work.load, seconds * work.times)
    if "error" in figures:
        fleet.drop(target)  # the next work finds it fresh
    return figures


FIGURES = ("per_second", "p50_us", "p90_us", "p99_us", "cpu_us", "client_cpu_us")


def summarize(runs):
    good = [run for run in runs if "error" not in run and run["count"] > 0]
    if not good:
        return {"error": runs[0].get("error", "no call was answered in time")}
    figures = {name: round(median(run[name] for run in good), 2) for name in FIGURES}
    figures["rounds"] = [round(run["per_second"], 1) for run in good]
    return figures


# ---- Cold start and memory ----

def first_answer_after(running):
    """Seconds from the start to the first answered initialize."""
    load = [LOAD, "--port", str(running.port), "--path", running.target.path, "--calls", "1", "--connections", "1",
            "--patience", "20"]
    sessions = ["--sessions", "1"] if "session" in running.target.kinds else []
    while subprocess.run(load + sessions, capture_output=True, check=False).returncode != 0:
        if time.perf_counter() - running.start > running.target.patience:
            raise RuntimeError("no answer")
    return time.perf_counter() - running.start


def measure_start(target, times):
    listening, answers, memory = [], [], []
    for _ in range(times):
        running = Running(target, target.kinds[0])
        try:
            listening.append(running.listening_after() * 1000)
            answers.append(first_answer_after(running) * 1000)
            time.sleep(0.2)
            memory.append(running.memory_kib())
        finally:
            running.stop()
    return {"listening_ms": round(median(listening), 1), "answer_ms": round(median(answers), 1),
            "rss_kib": median(one["rss_kib"] for one in memory), "pss_kib": median(one["pss_kib"] for one in memory)}


class HeldLoad:
    """A load client that has opened its sessions and waits for the word to go on."""

    def __init__(self, running, options):
        command = load_command(running, {"hold": 1, "patience": 120, **options})
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = json.loads(self.process.stdout.readline())
        self.error = first.get("error", None if first.get("ready") else "it did not begin")

    def go_on(self):
        output, _ = self.process.communicate("\n", timeout=700)
        return json.loads(output.splitlines()[-1])

    def stop(self):
        self.process.kill()
        self.process.communicate()


class Crowd:
    """A target beside idle sessions, which another load client holds."""

    def __init__(self, target, option, count):
        self.figures = {"count": count}
        self.rounds = []
        self.held = None
        self.running = Running(target, "session")
        try:
            self.running.listening_after()
            wait_until_serving(self.running)
            before = self.running.memory_kib()
            self.held = HeldLoad(self.running, {"connections": 1, "sessions": 1, option: count})
            if self.held.error:
                raise RuntimeError(self.held.error)
            after = self.running.memory_kib()
            self.figures["kib_each"] = round((after["rss_kib"] - before["rss_kib"]) / count, 2)
            self.figures["rss_kib"] = after["rss_kib"]
        except (RuntimeError, json.JSONDecodeError) as error:
            self.figures["error"] = str(error)

    def measure(self, seconds):
        if "error" not in self.figures:
            self.rounds.append(run_load(self.running, {"connections": 32, "sessions": 32}, seconds))

    def summary(self):
        return self.figures if "error" in self.figures else {**self.figures, **summarize(self.rounds)}

    def stop(self):
        if self.held is not None:
            self.held.stop()
        self.running.stop()


def measure_idles(targets, is_short, rounds, seconds):
    """What so many idle sessions cost: KiB each, and the calls beside them, beside few and beside many in turn."""
    results = {}
    for target in targets:
        if "session" not in target.kinds:
            continue
        many = (2000 if is_short else 10000) if not target.is_peer else 50 if target.name == "supergateway" else 500
        crowds = {}
        try:
            for kind, option, count in (("beside 10", "streams", 10), ("with a stream", "streams", many),
                                        ("without", "idle", many)):
                log(f"idle sessions: {target.name}: {count} {kind}")
                crowds[kind] = Crowd(target, option, count)
            for _ in range(rounds):
                for crowd in crowds.values():
                    crowd.measure(seconds)
            results[target.name] = {kind: crowd.summary() for kind, crowd in crowds.items()}
        finally:
            for crowd in crowds.values():
                crowd.stop()
    return results


# ---- System calls ----

def perf_works():
    done = subprocess.run(["perf", "stat", "-e", "raw_syscalls:sys_enter", "true"], capture_output=True, text=True,
                          check=False)
    return done.returncode == 0 and "not supported" not in done.stderr and "sys_enter" in done.stderr


def count_system_calls(running, work, calls):
    pids = ",".join(str(pid) for pid in running.pids())
    held = HeldLoad(running, {**work.load, "calls": calls})
    if held.error:
        held.stop()
        return None
    perf = subprocess.Popen(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", pids],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(0.3)
    figures = held.go_on()
    perf.send_signal(2)
    _, text = perf.communicate()
    number = [line.split(",")[0] for line in text.splitlines() if "sys_enter" in line]
    if not number or not number[0].isdigit() or not figures["units"]:
        return None
    return round(int(number[0]) / figures["units"], 2)


def measure_system_calls(works, targets):
    """System calls per call of the target's own processes; None where it could not be counted."""
    if not perf_works():
        log("system calls are not counted: perf cannot see them here")
        return {}
    fleet = Fleet()
    results = {work.name: {} for work in works}
    try:
        for work in works:
            for target in targets:
                if not can_do(target, work):
                    continue
                log(f"system calls: {work.name}: {target.name}")
                calls = work.calls if not target.is_peer else max(work.calls // 40, 10)
                try:
                    running = fleet.get(target, work)
                    results[work.name][target.name] = count_system_calls(running, work, calls)
                except (RuntimeError, json.JSONDecodeError, subprocess.TimeoutExpired, IndexError):
                    results[work.name][target.name] = None
    finally:
        fleet.stop()
    return results


# ---- All of it ----

def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the main works, one round of half a second")
    parser.add_argument("--works", help=", ".join(work.name for work in WORKS))
    parser.add_argument("--targets", help=", ".join(target.name for target in all_targets()).replace("relay, pipes",
                                                                                                    "relay-pipes"))
    parser.add_argument("--rounds", type=int, help="5; the short run has 1")
    parser.add_argument("--seconds", type=float, help="of each measurement: 1; the short run has 0.5")
    parser.add_argument("--only-works", action="store_true", help="no start, memory, idle sessions and system calls")
    parser.add_argument("--output", default=os.path.join(PEERS, "results"), help="a folder")
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.short else 5)
    arguments.seconds = arguments.seconds or (0.5 if arguments.short else 1)
    return arguments


def choose(arguments):
    works = [work for work in WORKS if work.is_short or not arguments.short]
    if arguments.works:
        works = [work for work in WORKS if work.name in arguments.works.split(",")]
    targets = [target for target in all_targets() if target.is_there()]
    if arguments.targets:
        names = arguments.targets.split(",")
        targets = [target for target in targets if target.name.replace(", ", "-") in names]
    return works, targets


def main():
    arguments = parse_arguments()
    works, targets = choose(arguments)
    start = time.monotonic()
    results = {"when": datetime.date.today().isoformat(), "is_short": arguments.short, "rounds": arguments.rounds,
               "seconds": arguments.seconds, "machine": describe_machine(),
               "versions": {target.name: target.version() for target in targets},
               "titles": {work.name: [work.title, work.unit] for work in works}}
    results["works"] = measure_works(works, targets, arguments.rounds, arguments.seconds)
    if not arguments.only_works:
        log("starts")
        results["start"] = {target.name: measure_start(target, 1 if arguments.short else 5) for target in targets}
        results["idle"] = measure_idles([target for target in targets if not (arguments.short and target.is_peer)],
                                        arguments.short, arguments.rounds, arguments.seconds)
        results["system_calls"] = measure_system_calls(
            works, [target for target in targets if not (arguments.short and target.is_peer)])
    results["took_seconds"] = round(time.monotonic() - start)
    results["load_average_at_end"] = round(os.getloadavg()[0], 2)
    os.makedirs(arguments.output, exist_ok=True)
    with open(os.path.join(arguments.output, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    text = report.write(results)
    with open(os.path.join(arguments.output, "table.md"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
    python = os.path.join(PEERS, "venv-plots/bin/python")
    if os.path.exists(python):
        subprocess.run([python, os.path.join(ROOT, "tests/bench/plot.py"), arguments.output], check=True)


if __name__ == "__main__":
    main()
