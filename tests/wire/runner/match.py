"""Compares JSON with what a transcript expects of it.

In an expected value the strings "*", "~REGEX", "@NAME" and "!" stand for any value, a string that matches, any value
which is kept as $NAME, and no such member. An array's last element "..." allows more; {"$any-order": [...]} is an array
in any order. Objects may have further members, except where the comparison is exact. 1, 1.0, "1" and true all differ.
"""
import json
import re
from decimal import Decimal


def loads(text):
    """Keeps 1 and 1.0 apart and every digit of both; refuses a name that stands twice."""
    return json.loads(text, parse_float=Decimal, object_pairs_hook=_object, parse_constant=_no_constant)


def _object(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice: %s" % [name for name, _ in pairs])
    return members


def _no_constant(name):
    raise ValueError("%s is not JSON" % name)


def compare(expected, actual, variables, exact=False, path="$"):
    """Returns the differences as a list of texts, and enters what "@NAME" caught into variables."""
    if isinstance(expected, str):
        return _compare_string(expected, actual, variables, path)
    if isinstance(expected, dict) and "$any-order" in expected:
        return _compare_any_order(expected["$any-order"], actual, variables, exact, path)
    if type(expected) is not type(actual):
        return ["%s: expected %s, got %s" % (path, show(expected), show(actual))]
    if isinstance(expected, dict):
        return _compare_objects(expected, actual, variables, exact, path)
    if isinstance(expected, list):
        return _compare_arrays(expected, actual, variables, exact, path)
    return [] if expected == actual else ["%s: expected %s, got %s" % (path, show(expected), show(actual))]


def _compare_string(expected, actual, variables, path):
    if expected == "*":
        return []
    if expected.startswith("@"):
        variables[expected[1:]] = actual if isinstance(actual, str) else show(actual)
        return []
    if expected.startswith("~"):
        good = isinstance(actual, str) and re.search(expected[1:], actual)
    else:
        good = isinstance(actual, str) and expected == actual
    return [] if good else ["%s: expected %s, got %s" % (path, show(expected), show(actual))]


def _compare_objects(expected, actual, variables, exact, path):
    problems = []
    for name, value in expected.items():
        if value == "!":
            problems += ["%s: %s should be absent" % (path, name)] if name in actual else []
        elif name not in actual:
            problems.append("%s: %s is missing in %s" % (path, name, show(actual)))
        else:
            problems += compare(value, actual[name], variables, exact, "%s.%s" % (path, name))
    if exact:
        problems += ["%s: %s is too much" % (path, name) for name in actual if name not in expected]
    return problems


def _compare_arrays(expected, actual, variables, exact, path):
    if expected and expected[-1] == "...":
        expected, actual = expected[:-1], actual[:len(expected) - 1]
    if len(expected) != len(actual):
        return ["%s: expected %d elements, got %s" % (path, len(expected), show(actual))]
    problems = []
    for i, (want, have) in enumerate(zip(expected, actual)):
        problems += compare(want, have, variables, exact, "%s[%d]" % (path, i))
    return problems


def _compare_any_order(expected, actual, variables, exact, path):
    if not isinstance(actual, list) or len(expected) != len(actual):
        return ["%s: expected an array of %d, got %s" % (path, len(expected), show(actual))]
    left = list(actual)
    for want in expected:
        good = [have for have in left if not compare(want, have, variables, exact, path)]
        if not good:
            return ["%s: nothing like %s in %s" % (path, show(want), show(left))]
        left.remove(good[0])
    return []


def show(value):
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) < 500 else text[:500] + " ..."
