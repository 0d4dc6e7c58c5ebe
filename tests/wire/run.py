#!/usr/bin/env python3
"""Plays transcripts against a bridge and prints TAP.

    run.py --bridge PATH [--jobs N] [--deadline SECONDS] [--wrap COMMAND] [FILE or FOLDER ...]

Without files it tests itself and plays every *.wire below its own folder. README.md describes the format.
Python 3.8 or newer, standard library only.
"""
import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
from runner import bridge, client, play, script  # noqa: E402  (the line above must come first)

HERE = os.path.dirname(os.path.abspath(__file__))
SELFTEST = os.path.join(HERE, "selftest.py")


def find_files(paths):
    files = []
    for path in paths or [SELFTEST, HERE]:
        if os.path.isdir(path):
            files += sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
                            if name.endswith(".wire"))
        else:
            files.append(path)
    return files


def title_of(path):
    if path == SELFTEST:
        return "The runner finds every flaw of a fake bridge."
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().lstrip("# ").strip() or path
    except OSError:
        return path


def play_one(path, options):
    """Plays one file in this process. Returns what went wrong, "" if nothing did."""
    bridge.adopt_orphans()
    player = None
    try:
        with open(path, encoding="utf-8") as file, tempfile.TemporaryDirectory() as scratch:
            argv = shlex.split(options.wrap) + [os.path.abspath(options.bridge)]
            player = play.Player(script.parse(file.read()), argv, time.monotonic() + options.deadline, scratch)
            player.play()
        return ""
    except (client.Failed, script.ScriptError) as failure:
        return str(failure) + log_of(player)
    except Exception:  # whatever it is, it belongs to this transcript and not to the others
        return traceback.format_exc() + log_of(player)
    finally:
        bridge.kill_descendants()


def log_of(player):
    if player is None or player.bridge is None:
        return ""
    return "\nthe bridge's log:\n" + "\n".join("    " + line[:300] for line in player.bridge.lines[-60:])


def play_in_own_process(path, options):
    """A process a transcript: so the orphans it adopts are this transcript's own."""
    argv = [sys.executable, os.path.abspath(__file__), "--one", "--bridge", options.bridge, "--wrap", options.wrap,
            "--deadline", str(options.deadline), path]
    timeout = options.deadline + 30
    if path == SELFTEST:
        argv = [sys.executable, path]
        timeout = 300
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return False, "the runner itself hangs"
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def report(number, path, is_good, output):
    print("%s %d - %s" % ("ok" if is_good else "not ok", number, title_of(path).replace("#", "\\#")))
    if not is_good:
        for line in [os.path.relpath(path), *output.rstrip().splitlines()]:
            print("# " + line)
    sys.stdout.flush()


def play_all(options):
    files = find_files(options.files)
    print("1..%d" % len(files), flush=True)
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda path: play_in_own_process(path, options), files)
        for number, (path, (is_good, output)) in enumerate(zip(files, results), 1):
            failed += not is_good
            report(number, path, is_good, output)
    print("# %d passed, %d failed" % (len(files) - failed, failed))
    return 1 if failed or not files else 0


def main():
    parser = argparse.ArgumentParser(description="Plays transcripts against a bridge and prints TAP.")
    parser.add_argument("--bridge", required=True, help="the program")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="transcripts at the same time: most of them wait")
    parser.add_argument("--deadline", type=float, default=20.0, help="seconds for one transcript")
    parser.add_argument("--wrap", default="", help="a command to run the bridge under, such as valgrind")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", help="*.wire files, or folders of them")
    options = parser.parse_args()
    if not options.one:
        return play_all(options)
    problem = play_one(options.files[0], options)
    print(problem)
    return 1 if problem else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # threads that still read an output must not keep us
