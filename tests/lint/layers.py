"""Whether every #include is one that layers.txt allows."""
import re
from pathlib import Path

from source import Finding, c_files, code_of, table

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
RULE = re.compile(r"(\S+)\s*([:<])\s*(.*)")


class Rules:
    def __init__(self, path):
        self.own, self.system = {}, {}
        for number, text in table(path):
            match = RULE.fullmatch(text)
            if not match:
                raise ValueError(f"{path}:{number}: not `PART : PART...` or `PART < HEADER...`")
            rules = self.own if match[2] == ":" else self.system
            rules[match[1]] = match[3].split()

    def part_of(self, path):
        """The longest part that has rules and that the file fits; None if there is none."""
        return max((part for part in self.own if fits(path, part)), key=len, default=None)

    def allow_own(self, part, included):
        return fits(included, part) or any(fits(included, other) for other in self.own[part])

    def allow_system(self, part, header):
        allowed = self.system.get(part, [])
        return f"-{header}" not in allowed and ("any" in allowed or header in allowed)


def fits(path, part):
    return path == part or path.startswith(f"{part}/") or str(Path(path).with_suffix("")) == part


def check_include(root, rules, path, part, kind, included):
    """What is wrong with one include, or None."""
    if kind == "<":
        return None if rules.allow_system(part, included) else f"{part} may not include <{included}>"
    if not (root / included).is_file() and (path.parent / included).as_posix() != included:
        included = (path.parent / included).as_posix()
    if not (root / included).is_file():
        return f'"{included}" is not a file; paths begin at the top'
    return None if rules.allow_own(part, included) else f'{part} may not include "{included}"'


def check(root):
    rules = Rules(root / "tests/lint/layers.txt")
    for path in c_files(root, "bridge", "src", "examples", "tests"):
        part = rules.part_of(path.as_posix())
        if part is None:
            yield Finding(path, 0, "belongs to no part of tests/lint/layers.txt")
            continue
        code = code_of((root / path).read_text())
        for match in INCLUDE.finditer(code):
            message = check_include(root, rules, path, part, match[1], match[2])
            if message:
                yield Finding(path, code.count("\n", 0, match.start()) + 1, message)
