#!/usr/bin/env python3
"""Runs the fuzzers that `make fuzzers` has built, and takes care of their corpora.

    tests/fuzz/run.py [--seconds N] [--jobs N] [--afl] [--merge] [TARGET...]

Every target starts from tests/fuzz/corpus/TARGET and keeps what it finds in build/fuzz/corpus/TARGET, so the next run
goes on from there. What crashes, hangs or leaks lies in build/fuzz/finds/TARGET. --merge goes the way back: as few
and as small inputs as cover what all of them cover. The exit status is 0 only if nothing was found.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = os.path.join(ROOT, "tests", "fuzz", "corpus")
WORDS = os.path.join(ROOT, "tests", "fuzz", "dictionaries")
BUILD = os.path.join(ROOT, "build", "fuzz")
LIMITS = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"]
MERGED_LENGTH = 512  # what goes into git


def folder(*names):
    path = os.path.join(*names)
    os.makedirs(path, exist_ok=True)
    return path


def dictionary(target, option):
    path = os.path.join(WORDS, f"{target}.dict")
    shared = os.path.join(WORDS, {"message": "json", "batch": "json", "members": "json",
                                  "request_state": "json", "http_parser": "http",
                                  "http_connection": "http"}.get(target, "none") + ".dict")
    return [option.format(name) for name in (path, shared) if os.path.exists(name)]


def last(pattern, text, default="0"):
    found = re.findall(pattern, text)
    return found[-1] if found else default


def fuzz(target, seconds):
    """Returns the line to print, and whether nothing was found."""
    finds = folder(BUILD, "finds", target)
    before = len(os.listdir(finds))
    command = [os.path.join(BUILD, "fuzz", target), f"-max_total_time={seconds}", "-print_final_stats=1",
               f"-artifact_prefix={finds}/", *LIMITS, *dictionary(target, "-dict={}"),
               folder(BUILD, "corpus", target), folder(SEEDS, target)]
    run = subprocess.run(command, cwd=BUILD, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    text = run.stderr.decode("utf-8", "replace")
    with open(os.path.join(BUILD, f"{target}.log"), "w", encoding="utf-8") as log:
        log.write(text)
    executions = int(last(r"stat::number_of_executed_units: (\d+)", text))
    edges, inputs = last(r"cov: (\d+)", text), last(r"corp: (\d+)", text)
    found = run.returncode != 0 or len(os.listdir(finds)) > before
    line = f"{target:16} {executions:>12,} executions, {edges} edges, {inputs} inputs"
    if found:
        line = "\n".join([line, f"    FOUND something: {finds}", *("    " + row for row in text.splitlines()[-40:])])
    return line, not found


def fuzz_with_afl(target, seconds):
    out = os.path.join(folder(ROOT, "build", "afl", "out"), target)
    shutil.rmtree(out, ignore_errors=True)
    command = ["afl-fuzz", "-V", str(seconds), "-G", "4096", "-i", folder(SEEDS, target), "-o", out]
    for option in dictionary(target, "{}"):
        command += ["-x", option]
    environment = {**os.environ, "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1",
                   "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1"}
    run = subprocess.run([*command, "--", os.path.join(ROOT, "build", "afl", "fuzz", target)], env=environment,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    stats = os.path.join(out, "default", "fuzzer_stats")
    if run.returncode != 0 or not os.path.exists(stats):
        return f"{target:16} afl-fuzz failed:\n" + run.stdout.decode("utf-8", "replace")[-2000:], False
    with open(stats, encoding="utf-8") as file:
        values = dict(re.findall(r"(\w+)\s*: (.*)", file.read()))
    found = int(values.get("saved_crashes", 0)) + int(values.get("saved_hangs", 0))
    line = f"{target:16} {int(values['execs_done']):>12,} executions, {values.get('bitmap_cvg', '?')} of the map"
    return line + (f"\n    FOUND {found}: {out}/default" if found else ""), not found


def size_of(path):
    return sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path))


def merge(target):
    seeds, new = folder(SEEDS, target), os.path.join(BUILD, "merged", target)
    shutil.rmtree(new, ignore_errors=True)
    folder(new)
    command = [os.path.join(BUILD, "fuzz", target), "-merge=1", "-use_counters=0", f"-max_len={MERGED_LENGTH}", new, seeds,
               folder(BUILD, "corpus", target)]
    run = subprocess.run(command, cwd=BUILD, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if run.returncode != 0:
        return f"{target:16} " + run.stderr.decode("utf-8", "replace")[-2000:], False
    for name in os.listdir(seeds):
        if not name.startswith("seed-"):  # those written by hand stay
            os.remove(os.path.join(seeds, name))
    shutil.copytree(new, seeds, dirs_exist_ok=True)
    return f"{target:16} {len(os.listdir(seeds)):>6} inputs, {size_of(seeds):>8,} bytes", True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--afl", action="store_true")
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    names = sorted(name[:-2] for name in os.listdir(os.path.join(ROOT, "tests", "fuzz", "targets")))
    is_clean = True
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        def work(target):
            if options.merge:
                return merge(target)
            return (fuzz_with_afl if options.afl else fuzz)(target, options.seconds)
        for line, is_good in pool.map(work, options.targets or names):
            print(line, flush=True)
            is_clean = is_clean and is_good
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
