#!/usr/bin/env python3
"""All checks of the source's form, as TAP, and then whether the checks themselves can fail. See README.md."""
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import banned  # noqa: E402
import defects  # noqa: E402
import faults  # noqa: E402
import layers  # noqa: E402
import layout  # noqa: E402
import planted  # noqa: E402
import sizes  # noqa: E402
import tree  # noqa: E402
import words  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CHECKS = [
    ("C files are laid out as .clang-format says", layout.check),
    ("includes go the way that layers.txt allows", layers.check),
    ("no banned function is called", banned.check),
    ("no file or line is too long", sizes.check_files),
    ("no function is too long, too branched or has too many parameters", sizes.check_functions),
    ("files and functions are small on the whole", sizes.check_measures),
    ("the top level holds what it should and nothing else", tree.check_top),
    ("every room has its map", tree.check_rooms),
    ("the tests that a README names are there", tree.check_named_files),
    ("the tests that tests/defects.md names are there", defects.check),
    ("README.md and the manual name the options that there are, and all of them", words.check_names),
    ("README.md and the manual name the defaults that there are", words.check_defaults),
    ("the faults that the simulation plants fit the code", planted.check),
    ("no file holds the traces of a machine or a merge", tree.check_text),
]


def results():
    """(name, the lines that say what is wrong)"""
    for name, check in CHECKS:
        found = [f"{path}:{line}: {message}" if line else f"{path}: {message}" for path, line, message in check(ROOT)]
        yield name, found
    yield from faults.results(ROOT)


def main():
    failed = 0
    for number, (name, lines) in enumerate(results(), 1):
        failed += bool(lines)
        print(f"{'not ok' if lines else 'ok'} {number} - {name}")
        for line in lines:
            print(f"  {line}")
    print(f"1..{number}")
    for line in sizes.describe(ROOT):
        print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
