"""What every case uses: how a case is declared, how it fails, and how it waits."""
import os
import threading
import time

CASES = []


class Failure(Exception):
    """A case's verdict: what was expected and what came."""


class Case:
    def __init__(self, sentence, function, runs_alone):
        self.sentence = sentence
        self.function = function
        self.runs_alone = runs_alone


def case(sentence, runs_alone=False):
    """Declares the function below as a case. One that measures time runs alone, after the others."""
    def declare(function):
        CASES.append(Case(sentence, function, runs_alone))
        return function
    return declare


def require(condition, text):
    if not condition:
        raise Failure(text)


def require_equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: wanted {shorten(wanted)}, got {shorten(got)}")


def shorten(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def setting(name):
    """A path that the caller of run.py gives in the environment. A case without it fails: nothing is skipped silently."""
    value = os.environ.get(name)
    require(value, f"the environment variable {name} is not set")
    return os.path.abspath(value)


def until(condition, what, seconds=10):
    """Waits for what offers no event to wait for: asks every 10 ms, until one deadline. Returns what condition returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        require(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        time.sleep(0.01)


def at_once(function, items):
    """Calls function(item) for all items in threads that start together. Returns the results in order, or raises the
    first failure."""
    items = list(items)
    results, failures = [None] * len(items), []
    gate = threading.Barrier(len(items))

    def run(index, item):
        gate.wait()
        try:
            results[index] = function(item)
        except Exception as failure:  # handed to the caller below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(items)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failure(f"{len(failures)} of {len(items)} failed; the first: {failures[0]}") from failures[0]
    return results
