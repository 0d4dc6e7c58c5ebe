#!/usr/bin/env python3
"""Faults over the real program: everything around it fails, and it must not. Prints TAP, and figures as comments.

    run.py --bridge PATH [--seconds N] [--only PATTERN] [--seed N]

--seconds is how long the storm lasts (15 without it; `make faults` gives it 600). The seed is printed, and gives the
same decisions again, though not the same timing.
"""
import argparse
import asyncio
import os
import random
import re
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import processes  # noqa: E402
import suite  # noqa: E402
from bridge import Bridge  # noqa: E402
from cases import children, clients, pid1, storm, system  # noqa: E402,F401  (importing declares)

CASE_SECONDS = 120  # that one may take, the storm's own length aside


class Context:
    """Given to a case: starts bridges for it, and keeps its figures."""

    def __init__(self, options):
        self.path = os.path.abspath(options.bridge)
        with open(self.path, "rb") as program:
            self.is_sanitized = b"__asan_init" in program.read()
        self.seconds = options.seconds
        self.random = random.Random(options.seed)
        self.notes = []
        self.bridges = []

    def bridge(self, command, *options, **settings):
        self.bridges.append(Bridge(self.path, command, *options, **settings))
        return self.bridges[-1]

    def check_memory(self, is_right, text):
        """Sanitizers hold back what was freed: then memory says nothing."""
        suite.check(is_right or self.is_sanitized, text)

    def note(self, text):
        self.notes.append(text)


async def play(case, context):
    await asyncio.wait_for(case.function(context), CASE_SECONDS + context.seconds)


def run_case(case, options):
    """Returns (outcome, the lines to print below)."""
    context = Context(options)
    start = time.monotonic()
    outcome, failure = "ok", []
    try:
        asyncio.run(play(case, context))
    except suite.Skip as reason:
        return f"ok {{}} - {case.sentence} # SKIP {reason}", []
    except suite.Failure as error:
        outcome, failure = "not ok", str(error).splitlines()
    except Exception:  # pylint: disable=broad-except
        outcome, failure = "not ok", traceback.format_exc().splitlines()
    if failure:
        processes.kill_all_below(os.getpid())
        for bridge in context.bridges:
            failure += ["the bridge's last lines:"] + ["  " + line for line in bridge.lines[-30:]]
    return f"{outcome} {{}} - {case.sentence}", [*context.notes, *failure, f"{time.monotonic() - start:.1f} s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bridge", required=True, help="the program to test")
    parser.add_argument("--seconds", type=float, default=15, help="how long the storm lasts")
    parser.add_argument("--only", default="", help="run the cases whose sentence matches this regular expression")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    if not os.path.isdir("/proc/self/fd"):
        print("1..1\nok 1 - faults over the real program # SKIP there is no /proc to look at processes through")
        return 0
    processes.adopt_orphans()
    cases = [case for case in suite.CASES if re.search(options.only, case.sentence)]
    if not cases:
        parser.error("no case matches")
    print(f"1..{len(cases)}\n# seed {options.seed}", flush=True)
    failed = 0
    for number, case in enumerate(cases, 1):
        line, notes = run_case(case, options)
        failed += line.startswith("not ok")
        print(line.format(number))
        for note in notes:
            print(f"# {note}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
