"""Whether the tests that tests/defects.md names are there: the page is true only as long as each of them is."""
import re

from source import Finding

PAGE = "tests/defects.md"
NAMED = re.compile(r"`([^`]+)`")
# How a test begins in a file of this kind; a transcript is one test.
BEGINNINGS = {".c": "void {}(void **", ".py": "def {}(", ".wire": None}


def rows(root):
    """(line number, what the last cell names) of each row."""
    path = root / PAGE
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    for number, line in enumerate(lines, 1):
        is_header = lines[number - 2] == ""
        if line.startswith("| ") and not is_header:
            yield number, NAMED.findall(line.rsplit(" | ", 1)[-1])


def files_of(names):
    """(file, the tests that stand behind it)"""
    found = []
    for name in names:
        if "/" in name or not found:
            found.append((name, []))
        else:
            found[-1][1].append(name)
    return found


def wrong_with(root, name, tests):
    path = root / "tests" / name
    if path.suffix not in BEGINNINGS or not path.is_file():
        yield f"{name} is not there"
        return
    beginning = BEGINNINGS[path.suffix]
    if beginning is None:
        return
    if not tests:
        yield f"no test of {name} is named"
    text = path.read_text(encoding="utf-8")
    for test in tests:
        if beginning.format(test) not in text:
            yield f"{name} has no test {test}"


def check(root):
    count = 0
    for number, names in rows(root):
        count += 1
        named = files_of(names)
        if not named:
            yield Finding(PAGE, number, "names no test")
        for name, tests in named:
            for what in wrong_with(root, name, tests):
                yield Finding(PAGE, number, what)
    if count == 0:
        yield Finding(PAGE, 0, "is where defects stand beside their tests, and names none")
