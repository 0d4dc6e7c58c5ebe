"""The list of cases, and how a case says that something is wrong."""

CASES = []


class Failure(Exception):
    """What should not have happened."""


class Skip(Exception):
    """Why this machine cannot run a case."""


class Case:
    def __init__(self, sentence, function):
        self.sentence = sentence
        self.function = function


def case(sentence):
    """Declares a coroutine function as a case; it gets a context."""
    def declare(function):
        CASES.append(Case(sentence, function))
        return function
    return declare


def check(condition, text):
    if not condition:
        raise Failure(text)
