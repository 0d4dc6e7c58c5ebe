"""Reads a transcript into steps. It knows the outer form only; what a step means is play.py's matter."""
import re
from dataclasses import dataclass, field
from typing import List

SETTINGS = ("options", "server", "command", "env", "inherit")
_CLIENT_STEP = re.compile(r"([A-Z][A-Za-z0-9_]*(?:\$I)?)\s+(\S+)\s*(.*)", re.DOTALL)


class ScriptError(Exception):
    """The transcript itself is wrong."""


@dataclass
class Step:
    line: int        # where it stands in the file
    client: str      # the connection's name, or "" for a step of the runner's own
    verb: str
    argument: str    # the rest of the step's first line
    block: List[str] = field(default_factory=list)   # the indented lines below it, without their indentation
    body: List["Step"] = field(default_factory=list)  # the steps between repeat and end

    def __str__(self):
        return "line %d: %s" % (self.line, " ".join(filter(None, (self.client, self.verb, self.argument)))[:120])


@dataclass
class Script:
    title: str
    settings: List[Step]
    steps: List[Step]

    def setting(self, name):
        return [step.argument for step in self.settings if step.verb == name]


def parse(text):
    lines = text.splitlines()
    if not lines or not lines[0].startswith("# "):
        raise ScriptError("the first line must say the behaviour: # A sentence.")
    steps = nest(iter(flat_steps(lines)))
    settings = [step for step in steps if step.verb in SETTINGS and not step.client]
    return Script(lines[0][2:].strip(), settings, [step for step in steps if step not in settings])


def flat_steps(lines):
    steps = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] in " \t":
            if not steps:
                raise ScriptError("line %d: indented, but no step stands above it" % number)
            steps[-1].block.append(line.strip())
        else:
            steps.append(step_from(number, line.rstrip()))
    return steps


def step_from(number, line):
    match = _CLIENT_STEP.fullmatch(line)
    if match:
        return Step(number, *match.groups())
    verb, _, argument = line.partition(" ")
    return Step(number, "", verb, argument.strip())


def nest(steps, inside=None):
    """Moves the steps between a repeat and its end into the repeat's body."""
    found = []
    for step in steps:
        if step.verb == "end" and not step.client:
            if inside is None:
                raise ScriptError("%s: no repeat stands above it" % step)
            return found
        found.append(step)
        if step.verb == "repeat" and not step.client:
            step.body = nest(steps, step)
    if inside is not None:
        raise ScriptError("%s: its end is missing" % inside)
    return found
