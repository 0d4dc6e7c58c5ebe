"""Plants one fault at a time into a small sound tree and sees whether the check finds it: a check that cannot fail
checks nothing."""
import shutil
import tempfile
from pathlib import Path

import banned
import defects
import layers
import layout
import planted
import sizes
import tree
import words

PAGE = "\n| what | test |\n|---|---|\n| wrong | `cases.py`: `holds`, `unit/test_slice.c`: `is_one` |\n"
SOUND = {
    "Makefile": "all:\n",
    "LICENSE": "MIT\n",
    "Dockerfile": "FROM scratch\n",
    "README.md": "# A sound tree\n\n| `--wait` | 30 s |\n",
    "bridge/README.md": "base/slice.c\n",
    "src/README.md": "main.c\n",
    "tests/README.md": "nothing\n",
    "examples/README.md": "nothing\n",
    "tests/defects.md": PAGE,
    "tests/cases.py": "def holds(context):\n",
    "tests/unit/test_slice.c": "static void is_one(void **state)\n{\n    (void)state;\n}\n",
    "bridge/base/slice.h": "int slice(void);\n",
    "bridge/base/slice.c": '#include "bridge/base/slice.h"\n\n#include <string.h>\n\nint slice(void)\n{\n    return 1;\n}\n',
    "src/http/request.h": "int request(void);\n",
    "src/child/process.h": "int process(void);\n",
    "src/main.c": "int main(void)\n{\n    return 0;\n}\n",
    "src/option_table.c": 'static int table[] = {\n    {"wait", OPTION_TIME, OPTION_AT(wait), "TIME", "30s", "how long", 0},\n};\n',
    "tests/simulation/faults.py": 'FAULTS = [("a wrong number", "base/slice.c", "return 1;", "return 2;")]\n',
    "src/mcp-bridge.1.in": '.BR \\-\\-wait " (30 s)"\n',
}
SLICE = SOUND["bridge/base/slice.c"]


def function(name, statements, parameters="void"):
    return f"int {name}({parameters})\n{{\n" + "".join(f"    {text}\n" for text in statements) + "}\n"


# (what is planted, the check, the file, its text)
FAULTS = [
    ("a crooked line", layout.check, "src/main.c", "int main( void ) { return 0; }\n"),
    ("a system header that bridge/ must not see", layers.check, "bridge/base/slice.c", "#include <time.h>\n" + SLICE),
    ("an include upwards", layers.check, "bridge/base/slice.c", '#include "src/http/request.h"\n' + SLICE),
    ("an include from http to child", layers.check, "src/http/request.c", '#include "src/child/process.h"\n'),
    ("llhttp outside http", layers.check, "src/child/process.c", "#include <llhttp.h>\n"),
    ("an include of nothing", layers.check, "src/http/request.c", '#include "src/http/nothing.h"\n'),
    ("a folder without a layer", layers.check, "src/other/thing.c", "int thing;\n"),
    ("a banned call", banned.check, "src/main.c", function("main", ["return atoi(text);"])),
    ("a file too long", sizes.check_files, "src/main.c", "\n" * 601),
    ("a test file too long", sizes.check_files, "tests/unit/test_slice.c", "\n" * 601),
    ("a line too long", sizes.check_files, "src/main.c", "/*" + "x" * 120 + "*/\n"),
    ("a function too long", sizes.check_functions, "src/daemon.c", function("daemon", ["step();"] * 80)),
    ("a main too long", sizes.check_functions, "src/main.c", function("main", ["step();"] * 60)),
    ("a function too branched", sizes.check_functions, "src/daemon.c", function("daemon", ["if (a) b();"] * 15)),
    ("six parameters", sizes.check_functions, "src/daemon.c",
     function("daemon", ["step();"], "int a, int b, int c, int d, int e, int f")),
    ("long files all over", sizes.check_measures, "src/daemon.c", "\n" * 500),
    ("long functions all over", sizes.check_measures, "src/daemon.c",
     "".join(function(f"daemon_{n}", ["step();"] * 41) for n in range(9))),
    ("a stranger at the top", tree.check_top, "notes.txt", "remember\n"),
    ("something missing at the top", tree.check_top, "LICENSE", None),
    ("a room without a map", tree.check_rooms, "src/README.md", None),
    ("a path of a machine", tree.check_text, "README.md", "See /hom" "e/somebody/notes.\n"),
    ("a page from elsewhere", tree.check_text, "README.md", "See ../share" "d/DESIG" "N.md.\n"),
    ("a registry in a lock file", tree.check_text, "tests/lock.json", '  "resolve' 'd": "https://example.org/x"\n'),
    ("a test that is not there", tree.check_named_files, "tests/README.md", "`wire/none.wire`\n"),
    ("a defect whose test's file is gone", defects.check, "tests/unit/test_slice.c", None),
    ("a defect whose test has another name", defects.check, "tests/cases.py", "def held(context):\n"),
    ("a defect whose test is only spoken of", defects.check, "tests/unit/test_slice.c", "/* is_one */\n"),
    ("a defect without a test", defects.check, "tests/defects.md", PAGE + "| wrong | by hand |\n"),
    ("a defect with a file and no name", defects.check, "tests/defects.md", PAGE + "| wrong | `unit/test_slice.c` |\n"),
    ("a page of defects that is empty", defects.check, "tests/defects.md", "nothing\n"),
    ("the mark of a merge", tree.check_text, "README.md", "<<<<<<" "< ours\n"),
    ("a table of options that is not found", words.check_names, "src/option_table.c", "int nothing;\n"),
    ("an option that there is not", words.check_names, "README.md", "`--wait`, `--run`\n"),
    ("an option that the manual has made up", words.check_names, "src/mcp-bridge.1.in", ".B \\-\\-run\n"),
    ("an option that nobody tells of", words.check_names, "README.md", "# Nothing\n"),
    ("a default that is not so", words.check_defaults, "README.md", "| `--wait` | 31 s |\n"),
    ("a default that the manual has otherwise", words.check_defaults, "src/mcp-bridge.1.in",
     '.BR \\-\\-wait " (31 s)"\n'),
    ("a ceiling that the manual lacks", words.check_defaults, "src/mcp-bridge.1.in", "Nothing.\n"),
    ("a planted fault that does not fit", planted.check, "bridge/base/slice.c", SLICE.replace("return 1", "return one")),
    ("a planted fault that fits twice", planted.check, "bridge/base/slice.c", SLICE + SLICE),
    ("a planted fault whose file is gone", planted.check, "bridge/base/slice.c", None),
    ("a planted fault that changes nothing", planted.check, "tests/simulation/faults.py",
     'FAULTS = [("no fault", "base/slice.c", "return 1;", "return 1;")]\n'),
    ("a space at a line's end", tree.check_text, "README.md", "word \n"),
]
# The long files: most of them have to be long before the median is.
COPIES = {"long files all over": ["src/daemon_b.c", "src/daemon_c.c"]}


def plant(root, path, text):
    file = root / path
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def tree_with(project, name, path, text):
    """A sound tree in a new folder, then the fault."""
    root = Path(tempfile.mkdtemp(prefix="lint-"))
    for sound_path, sound_text in SOUND.items():
        plant(root, sound_path, sound_text)
    for rule in (".clang-format", "tests/lint/layers.txt", "tests/lint/banned.txt"):
        (root / rule).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / rule, root / rule)
    if path is not None:
        for planted in [path, *COPIES.get(name, [])]:
            plant(root, planted, text)
    return root


def findings(project, check, name=None, path=None, text=None):
    root = tree_with(project, name, path, text)
    try:
        return list(check(root))
    finally:
        shutil.rmtree(root)


def results(project):
    """(what ought to be, the lines that say why it is not)"""
    checks = dict.fromkeys(check for _, check, _, _ in FAULTS)
    wrong = [str(finding) for check in checks for finding in findings(project, check)]
    yield "the checks find nothing in a sound tree", wrong
    for name, check, path, text in FAULTS:
        found = findings(project, check, name, path, text)
        yield f"the checks find {name}", [] if found else [f"{check.__module__}.{check.__name__} found nothing"]
