"""Whether README.md and the manual's text speak of the options that there are, and of their defaults. What --help says
comes from the table in src/option_table.c itself."""
import re

from source import Finding

TABLE = "src/option_table.c"
OPTION = re.compile(r'^    \{"([a-z-]+)", OPTION_\w+, OPTION_AT\(\w+\),\s+(?:"[^"]*"|NULL),\s+("[^"]*"|NULL),', re.MULTILINE)
NAMED = re.compile(r"(?<=[` ])--([a-z][a-z-]*)")
ROW = re.compile(r"^\| `--([a-z-]+)` \| ([^|]+) \|")
ENTRY = re.compile(r'^\.BR ((?:\\-)+[a-z\\-]+) " \((.*)\)"$')
# Whose options are named in these sections of README.md is not known here.
FOREIGN = "## Coming from another bridge"


def options(root):
    """Name to default, as the table has them; "" for none."""
    path = root / TABLE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return {name: preset.strip('"').replace("NULL", "") for name, preset in OPTION.findall(text)}


def readme(root):
    """The lines of README.md with their numbers, without those of foreign sections."""
    is_foreign = False
    for number, line in enumerate((root / "README.md").read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("## "):
            is_foreign = line == FOREIGN
        if not is_foreign:
            yield number, line


def manual(root):
    path = root / "src/mcp-bridge.1.in"
    return enumerate(path.read_text(encoding="utf-8").split("\n") if path.is_file() else [], 1)


def check_names(root):
    known = options(root)
    named = set()
    if not known:
        yield Finding(TABLE, 0, "is where the options are looked for, and holds none")
        return
    for number, line in readme(root):
        for name in NAMED.findall(line):
            named.add(name)
            if name not in known:
                yield Finding("README.md", number, f"there is no option --{name}")
    for number, line in manual(root):
        for name in re.findall(r"--([a-z][a-z-]*)", line.replace("\\-", "-")):
            if name not in known:
                yield Finding("src/mcp-bridge.1.in", number, f"there is no option --{name}")
    for name in sorted(set(known) - named - {"auth-token", "help", "version"}):
        yield Finding("README.md", 0, f"says nothing of --{name}")


def check_defaults(root):
    known = options(root)
    tables = {"README.md": {}, "src/mcp-bridge.1.in": {}}
    for number, line in readme(root):
        if match := ROW.match(line):
            tables["README.md"][match[1]] = (number, match[2])
    for number, line in manual(root):
        if match := ENTRY.match(line):
            tables["src/mcp-bridge.1.in"][match[1].replace("\\-", "-")[2:]] = (number, match[2])
    everywhere = set().union(*tables.values())
    for path, rows in tables.items():
        for name in sorted(everywhere - set(rows)):
            yield Finding(path, 0, f"its table of ceilings lacks --{name}")
        for name, (number, default) in rows.items():
            if default.replace(" ", "") != known.get(name):
                yield Finding(path, number, f"the default of --{name} is not {default}")
