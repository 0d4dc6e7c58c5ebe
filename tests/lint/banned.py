"""Whether a function is called that banned.txt names."""
import re

from source import Finding, c_files, code_of, table

RULE = re.compile(r"(\w+)(\*?)\s*(?:@\s*([^:]*))?:\s*(.+)")


def rules_of(path):
    """(pattern of a call, files or folders where it is allowed, reason)"""
    for number, text in table(path):
        match = RULE.fullmatch(text)
        if not match:
            raise ValueError(f"{path}:{number}: not `NAME : REASON`")
        ending = r"\w*" if match[2] else ""
        yield re.compile(rf"(?<![\w.>]){match[1]}{ending}\s*\("), (match[3] or "").split(), match[4]


def fits(path, place):
    return f"{path.as_posix()}/".startswith(f"{place}/")


def check(root):
    rules = list(rules_of(root / "tests/lint/banned.txt"))
    for path in c_files(root, "bridge", "src", "examples"):
        lines = code_of((root / path).read_text()).splitlines()
        for number, line in enumerate(lines, 1):
            for pattern, exceptions, reason in rules:
                match = pattern.search(line)
                if match and not any(fits(path, place) for place in exceptions):
                    yield Finding(path, number, f"{match[0].rstrip('( ')}() is banned: {reason}")
