#!/usr/bin/env python3
"""Tests the runner: a test that cannot fail is worth nothing, so each flaw here must be found, and for its reason.

    selftest.py        prints TAP; exit status 0 if every flaw was found and the flawless bridge passes
"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from runner import match  # noqa: E402  (the line above must come first)

HERE = os.path.dirname(os.path.abspath(__file__))

# A bridge that gives one canned answer to every connection, and has the flaw that FLAW names.
FAKE = '''#!%s
import os, signal, socket, subprocess, sys, threading
flaw = os.environ.get("FLAW", "")
answers = {
    "": b'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 36\\r\\n\\r\\n',
    "status": b'HTTP/1.1 500 Oops\\r\\nContent-Type: application/json\\r\\nContent-Length: 36\\r\\n\\r\\n',
    "length": b'HTTP/1.1 200 OK\\r\\nContent-Length: 36\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n',
    "short": b'HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 37\\r\\n\\r\\n',
    "header": b'HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nContent-Length: 36\\r\\n\\r\\n',
    "cut": b'HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'
           b'2a\\r\\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\\r\\n',
    "primed": b'HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'
              b'e\\r\\nid: 7\\ndata: \\n\\n\\r\\n'
              b'32\\r\\nid: 8\\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\\n\\n\\r\\n0\\r\\n\\r\\n',
}
answers["event"] = answers["primed"]
bodies = {"id": b'{"jsonrpc":"2.0","id":2,"result":{}}', "type": b'{"jsonrpc":"2.0","id":1,"result":[]}', "cut": b"", "primed": b"", "event": b"",
          "twice": b'{"jsonrpc":"2.0","id":1,"id":1     }'}
answer = answers.get(flaw, answers[""]) + bodies.get(flaw, b'{"jsonrpc":"2.0","id":1,"result":{}}')


def serve(client):
    client.recv(65536)
    if flaw == "silence":
        threading.Event().wait()
    client.sendall(answer)
    client.close()


def stop(*_):
    os._exit(3 if flaw == "exit" else 0)


signal.signal(signal.SIGTERM, stop if flaw != "deaf" else signal.SIG_IGN)
if flaw == "orphan":
    subprocess.Popen(["sleep", "60"], start_new_session=True)
if flaw == "sanitizer":
    print("SUMMARY: AddressSanitizer: heap-use-after-free", file=sys.stderr)
listener = socket.create_server(("127.0.0.1", 0))
print("http://127.0.0.1:%%d/mcp" %% listener.getsockname()[1], file=sys.stderr, flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
''' % sys.executable

SCRIPT = """# Fake.
command true
A > {"jsonrpc":"2.0","id":1,"method":"ping"}
A < 200
    Content-Type: application/json
    {"jsonrpc": "2.0", "id": 1, "result": {}}
"""

STREAM_SCRIPT = """# Fake.
command true
A > {"jsonrpc":"2.0","id":1,"method":"ping"}
A < 200
A event {"id": 1}
"""

FIRST_SCRIPT = STREAM_SCRIPT.replace("A event", "A first")

FIELD_SCRIPT = STREAM_SCRIPT.replace("A event", "A priming\n    id: 7\nA event") + "    id: 7\n"

SCRIPTS = {"cut": STREAM_SCRIPT, "primed": FIRST_SCRIPT, "event": FIELD_SCRIPT}

# The flaw, and what the runner must say about it.
FLAWS = [
    ("status", "the status is 500, not 200"),
    ("header", "the header Content-Type"),
    ("length", "bad framing"),
    ("short", "the connection ended inside the body"),
    ("cut", "the connection ended in the middle"),
    ("id", "$.id: expected 1, got 2"),
    ("type", "$.result: expected {}, got []"),
    ("twice", "a member stands twice"),
    ("primed", "expected event, got priming"),
    ("event", "the field id: id: expected \"7\", got \"8\""),
    ("silence", "nothing came before the deadline"),
    ("exit", "exit status is 3"),
    ("deaf", "the bridge is still running"),
    ("orphan", "processes below the bridge"),
    ("sanitizer", "AddressSanitizer"),
]

# Expected, actual, whether they fit.
COMPARISONS = [
    ('1', '1', True), ('1', '"1"', False), ('1', '1.0', False), ('1', 'true', False), ('0', 'false', False),
    ('null', '0', False), ('9007199254740993', '9007199254740992', False), ('"*"', '[1]', True),
    ('"~^a"', '"abc"', True), ('"~^b"', '"abc"', False), ('"~1"', '1', False),
    ('{"a":1}', '{"a":1,"b":2}', True), ('{"a":1,"b":"!"}', '{"a":1,"b":2}', False), ('{"a":1}', '{}', False),
    ('[1]', '[1,2]', False), ('[1,"..."]', '[1,2]', True), ('[]', '{}', False),
    ('{"$any-order":[2,1]}', '[1,2]', True), ('{"$any-order":[1,1]}', '[1,2]', False),
]


def play(folder, flaw):
    """Returns the runner's exit status and what it printed."""
    environment = {**os.environ, "FLAW": flaw}
    with open(os.path.join(folder, "fake.wire"), "w", encoding="utf-8") as file:
        file.write(SCRIPTS.get(flaw, SCRIPT))
    argv = [sys.executable, os.path.join(HERE, "run.py"), "--bridge", os.path.join(folder, "bridge"), "--deadline", "2",
            os.path.join(folder, "fake.wire")]
    done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode()


def checks(folder):
    """Yields a name and whether it is good."""
    for expected, actual, fits in COMPARISONS:
        problems = match.compare(match.loads(expected), match.loads(actual), {})
        yield "%s %s %s" % (expected, "fits" if fits else "does not fit", actual), (not problems) == fits
    status, output = play(folder, "")
    yield "a flawless bridge passes", status == 0 and "\nok 1 - Fake." in output
    for flaw, text in FLAWS:
        status, output = play(folder, flaw)
        yield "the flaw %s is found" % flaw, status != 0 and "\nnot ok 1 - Fake." in output and text in output


def main():
    failed = number = 0
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "bridge"), "w", encoding="utf-8") as file:
            file.write(FAKE)
        os.chmod(file.name, 0o755)
        for number, (name, is_good) in enumerate(checks(folder), 1):
            failed += not is_good
            print("%s %d - %s" % ("ok" if is_good else "not ok", number, name), flush=True)
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
