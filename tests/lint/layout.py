"""Whether clang-format would change a file."""
import os
import re
import subprocess
import sys

from source import Finding, c_files

COMPLAINT = re.compile(r"(.+?):(\d+):\d+: error: (.*)")


def check(root):
    paths = [path.as_posix() for path in c_files(root, "bridge", "src", "examples", "tests")]
    if not paths:
        return
    # It stands beside the Python that runs this: both come from tests/requirements.txt.
    program = os.path.join(os.path.dirname(sys.executable), "clang-format")
    command = [program, "--dry-run", "-Werror", "--style=file", *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    complaints = [COMPLAINT.fullmatch(line) for line in done.stderr.splitlines()]
    places = {(match[1], int(match[2])) for match in complaints if match}
    for path, line in sorted(places):
        yield Finding(path, line, "is not laid out as .clang-format says: make format")
    if done.returncode != 0 and not places:
        yield Finding(".clang-format", 0, done.stderr.strip())
