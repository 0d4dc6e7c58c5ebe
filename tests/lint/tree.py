"""Whether the tree is as it should be: names at the top, a map in every room, and no traces of somebody's machine."""
import re

from source import Finding, files

TOP = {"Makefile", "README.md", "LICENSE", "Dockerfile", "bridge", "src", "tests", "examples"}
MADE = {"build", "mcp-bridge"}
ROOMS = ("bridge", "src", "tests", "examples")

# Written with classes of one letter, so that this file does not find itself.
TRACES = [
    (re.compile(r"(?<![\w./-])/(wor[k]|roo[t]|hom[e]/\w+|User[s]/\w+)(/|\b(?![\w-]))"), "a path of somebody's machine"),
    (re.compile(r"\bshare[d]/"), "a folder that is not part of the project"),
    (re.compile(r"\b(DESIG[N]|STYL[E]|SPE[C]|PEER[S]|GATEWAY[S])\.md\b"), "a page that is not part of the project"),
    (re.compile(r'^\s*"resolve[d]":'), "the address of a registry: npm's omit-lockfile-registry-resolved leaves it out"),
    (re.compile(r"^\s*--(index|extra-index|find-links)"), "the address of a registry"),
]
NAMED_FILE = re.compile(r"`([\w./-]+/[\w.-]+\.(?:wire|py|c))`")
CONFLICT = re.compile(r"^(<{7}|>{7}) ")


def check_top(root):
    present = {path.name for path in root.iterdir()}
    for name in sorted(present - TOP - MADE):
        if not name.startswith("."):
            yield Finding(name, 0, "does not belong at the top")
    for name in sorted(TOP - present):
        yield Finding(name, 0, "is missing")


def check_rooms(root):
    for room in ROOMS:
        if (root / room).is_dir() and not (root / room / "README.md").is_file():
            yield Finding(f"{room}/README.md", 0, "is missing: a map of the room, one line a file")


def check_named_files(root):
    """A table that says which test shows what is true only as long as the test is there."""
    for path in files(root, "bridge", "src", "tests", suffixes={".md"}):
        for number, line in enumerate((root / path).read_text(encoding="utf-8").split("\n"), 1):
            for name in NAMED_FILE.findall(line):
                places = (root, root / "tests", (root / path).parent)
                if not any((place / name).is_file() for place in places):
                    yield Finding(path, number, f"{name} is not there")


def check_text(root):
    for path in files(root):
        try:
            lines = (root / path).read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for pattern, what in TRACES:
                match = pattern.search(line)
                if match:
                    yield Finding(path, number, f"{match[0].strip()}: {what}")
            if CONFLICT.match(line):
                yield Finding(path, number, "the mark of a merge")
            if path.suffix in {".c", ".h", ".py", ".md", ".sh"} and line != line.rstrip():
                yield Finding(path, number, "space at the end of the line")
