"""The small language of the lines below a step: header lines, what a body must be, what a run must print."""
import re

from . import match
from .client import Failed
from .script import ScriptError

_HEADER = re.compile(r"(!|-)?([A-Za-z][A-Za-z0-9-]*)(?::\s*(.*))?")
_FIELD = re.compile(r"(!)?(id|event|retry|data)(?::\s*(.*))?")
BODY_WORDS = ("empty", "exactly", "has", "hasnt", "text", "body")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}


def seconds(text):
    found = re.fullmatch(r"([\d.]+)(ms|s|min)", text.strip())
    if not found:
        raise ScriptError("not a duration: %r" % text)
    return float(found.group(1)) * _UNITS[found.group(2)]


def status_fits(wanted, status):
    """wanted: 200, or 400|404, or !0."""
    if wanted.startswith("!"):
        return str(status) != wanted[1:]
    return str(status) in wanted.split("|")


def is_header(line):
    found = _HEADER.fullmatch(line)
    if not found or found.group(2) in BODY_WORDS:
        return None
    return found if found.group(1) or found.group(3) is not None else None


def split_request(headers, lines):
    """Takes header lines off the front: "Name: value" replaces or adds, "+" before it adds a second one, "-Name"
    removes. What is left is the body, as it stands; "body TEXT" is a body that would look like something else."""
    headers = list(headers)
    count = 0
    for line in lines:
        found = is_header(line.lstrip("+"))
        if not found:
            break
        count += 1
        sign, name, value = found.groups()
        if not line.startswith("+"):
            headers = [header for header in headers if header[0].lower() != name.lower()]
        if sign != "-":
            headers.append((name, value))
    rest = "\n".join(lines[count:])
    return headers, rest[5:] if rest.startswith("body ") else rest


def response(connection, lines, variables, deadline):
    """lines: the status, then headers and what the body must be."""
    answer = connection.read_response(deadline)
    try:
        if not status_fits(lines[0], answer.status):
            raise Failed("the status is %d, not %s" % (answer.status, lines[0]))
        rest = [line for line in lines[1:] if not header(line, answer, variables)]
        if answer.is_stream and rest:
            raise Failed("an event stream came; its events are steps of their own")
        body(answer.body, rest, variables)
    except Failed as failure:
        raise Failed("%s\n%s" % (failure, answer)) from None
    return answer


def header(line, answer, variables):
    """Checks the line if it is about a header: Name: value, Name: ~regex, Name: @KEEP, !Name."""
    found = is_header(line)
    if not found:
        return False
    sign, name, wanted = found.groups()
    value = answer.header(name)
    if sign == "!":
        if value is not None:
            raise Failed("the header %s should be absent" % name)
        return True
    problems = ["absent"] if value is None else match.compare(wanted, value, variables, path=name)
    if problems:
        raise Failed("the header %s: %s" % (name, problems[0]))
    return True


def body(data, lines, variables):
    """Checks every line of the kinds of BODY_WORDS; what remains is JSON that the body must contain."""
    text = data.decode("utf-8", "backslashreplace")
    json_lines = []
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "exactly":
            json_body(text, rest, variables, exact=True)
        elif word in BODY_WORDS:
            check_text(word, rest, text)
        else:
            json_lines.append(line)
    if json_lines:
        json_body(text, "\n".join(json_lines), variables)


def event_fields(event, lines, variables):
    """Checks the lines about the event's fields (id, event, retry, data), as they would be for headers. Returns the
    others, and whether one was about the event's type."""
    rest, has_type = [], False
    for line in lines:
        found = _FIELD.fullmatch(line)
        if not found:
            rest.append(line)
            continue
        sign, name, wanted = found.groups()
        has_type |= name == "event"
        value = event.fields.get(name)
        if sign:
            problems = ["should be absent"] if value is not None else []
        else:
            problems = ["absent"] if value is None else match.compare(wanted, value, variables, path=name)
        if problems:
            raise Failed("the field %s: %s in %s" % (name, problems[0], event))
    return rest, has_type


def check_text(word, rest, text):
    checks = {"empty": lambda: text == "", "has": lambda: rest in text, "hasnt": lambda: rest not in text,
              "text": lambda: re.search(rest.lstrip("~"), text), "body": lambda: text == rest}
    if not checks[word]():
        raise Failed("the body should be: %s %s" % (word, rest[:500]))


def json_body(text, expected, variables, exact=False):
    try:
        wanted = match.loads(expected)
    except ValueError as error:
        raise ScriptError("this is not JSON (%s): %s" % (error, expected)) from None
    try:
        actual = match.loads(text)
    except ValueError as error:
        raise Failed("the body is not JSON: %s" % error) from None
    problems = match.compare(wanted, actual, variables, exact)
    if problems:
        raise Failed("\n".join(problems))


def ended(done, lines):
    """A finished run: exit STATUS, stdout ~REGEX, stderr ~REGEX, or a plain text that must stand in it."""
    outputs = {"stdout": done.stdout.decode("utf-8", "replace"), "stderr": done.stderr.decode("utf-8", "replace")}
    for line in lines:
        word, _, wanted = line.partition(" ")
        if word == "exit":
            good = status_fits(wanted, done.returncode)
        elif wanted == "empty":
            good = outputs[word] == ""
        else:
            good = re.search(wanted[1:] if wanted.startswith("~") else re.escape(wanted), outputs[word])
        if not good:
            raise Failed("expected %s; exit status %d\nstdout: %s\nstderr: %s" % (
                line, done.returncode, outputs["stdout"][:2000], outputs["stderr"][:2000]))
