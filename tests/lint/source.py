"""What all checks share: which files there are, a C file without its comments and strings, and a finding."""
import os
import re
from collections import namedtuple
from pathlib import Path

# A line of 0 speaks of the whole file.
Finding = namedtuple("Finding", "path line message")

GENERATED = {".git", "build", "mcp-bridge", "__pycache__", "node_modules"}
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def files(root, *folders, suffixes=None):
    """The project's files below these folders (without any: all), sorted, relative to the root."""
    found = []
    for folder in folders or ("",):
        for directory, names, filenames in os.walk(root / folder):
            names[:] = [name for name in names if name not in GENERATED]
            found += [(Path(directory) / name).relative_to(root) for name in filenames if name not in GENERATED]
    return sorted(path for path in found if suffixes is None or path.suffix in suffixes)


def c_files(root, *folders):
    return files(root, *folders, suffixes={".c", ".h"})


def code_of(text):
    """The text with comments and literals blanked; every line keeps its number. Includes keep their names."""
    def blank(match):
        line_start = text.rfind("\n", 0, match.start()) + 1
        if match[0].startswith('"') and text[line_start:match.start()].strip() == "#include":
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return COMMENT_OR_STRING.sub(blank, text)


def table(path):
    """The lines of one of our lists, without comments: (line number, text)."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.split("#")[0].strip()
        if text:
            yield number, text
