#!/usr/bin/env python3
"""End-to-end tests of mcp-bridge: official SDK clients, real servers, and what is seen on the wire. Prints TAP.

    run.py --bridge PATH [--only PATTERN] [--jobs N] [--litellm]

PATTERN is a regular expression for the sentences. --litellm runs the cases of cases/litellm.py in place of the others. The exit status is 0 when all cases pass. What must stand in the
environment is in README.md.
"""
import argparse
import concurrent.futures
import os
import re
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "fixtures")]
import suite  # noqa: E402
from bridge import Bridge  # noqa: E402

if "--litellm" in sys.argv[1:]:
    from cases import litellm  # noqa: F401  (importing declares)
else:
    from cases import clients, crashes, eras, part2_clients, part2_isolation, part2_leaks, payloads  # noqa: F401
    from cases import reports, servers, stops  # noqa: F401


class Context:
    """Given to a case: starts bridges for it, and keeps what is worth telling."""

    def __init__(self, path):
        self.path = path
        self.bridges = []
        self.notes = []

    def bridge(self, command, *options):
        self.bridges.append(Bridge(self.path, command, options))
        return self.bridges[-1]

    def note(self, text):
        """Adds a line to the report, whether the case passes or not."""
        self.notes.append(text)


def run_case(case, path):
    """Returns (passed, the lines to print below)."""
    context = Context(path)
    start = time.monotonic()
    try:
        case.function(context)
        failure = []
    except suite.Failure as error:
        failure = str(error).splitlines()
    except Exception:
        failure = traceback.format_exc().splitlines()
    if failure:
        for bridge in context.bridges:
            failure += ["the bridge's last lines:"] + ["  " + line for line in bridge.log]
    return not failure, [*context.notes, *failure, f"{time.monotonic() - start:.1f} s"]


def run(cases, path, jobs):
    """Runs the cases and yields (case, passed, lines) in the order of the list."""
    together = [case for case in cases if not case.runs_alone]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for case, (passed, lines) in zip(together, pool.map(lambda one: run_case(one, path), together)):
            yield case, passed, lines
    for case in cases:
        if case.runs_alone:
            yield case, *run_case(case, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bridge", required=True, help="the program to test")
    parser.add_argument("--only", default="", help="run the cases whose sentence matches this regular expression")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="cases at the same time")
    parser.add_argument("--litellm", action="store_true", help="the cases with LiteLLM's proxy, and no others")
    options = parser.parse_args()
    cases = [case for case in suite.CASES if re.search(options.only, case.sentence)]
    if not cases:
        parser.error("no case matches")
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, (case, passed, lines) in enumerate(run(cases, os.path.abspath(options.bridge), options.jobs), 1):
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {case.sentence}")
        for line in lines:
            print(f"# {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
