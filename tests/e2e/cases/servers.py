"""Real servers. The oracle is the same server asked directly over stdio: through the bridge it must say the same."""
import json
import os
import subprocess
import tempfile

from cases import commands
from suite import case, require, require_equal
from wire import INITIALIZE, Session, message

MODES = ("--stateful", "--stateless")


class Direct:
    """The server without a bridge: a process, and a line for every message."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.count = 0

    def __enter__(self):
        self.server = self.answer("initialize", INITIALIZE)["result"]
        self.write(message("notifications/initialized"))
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.terminate()
        self.process.wait()

    def write(self, line):
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self, method, params=None):
        self.count += 1
        self.write(message(method, params, self.count))
        for line in self.process.stdout:
            found = json.loads(line)
            if "method" not in found and found.get("id") == self.count:
                return found
        raise AssertionError(f"the server ended at {method}")


def tool(name, **arguments):
    return "tools/call", {"name": name, "arguments": arguments}


def open_session(bridge, mode):
    session = Session(bridge.url)
    return session.open() if mode == "--stateful" else session


def compare(context, mode, command, requests):
    """Asks both and returns the answers, which are equal but for the id."""
    answers = []
    with Direct(command) as direct, context.bridge(command, mode) as bridge:
        with open_session(bridge, mode) as session:
            if session.server:
                require_equal(session.server, direct.server, "the result of initialize")
            for method, params in requests:
                wanted, got = direct.answer(method, params), session.answer(method, params)
                for answer in (wanted, got):
                    answer.pop("id")
                require_equal(got, wanted, f"{method} {params}")
                answers.append(got)
    return answers


def check_everything(context, mode):
    answers = compare(context, mode, commands.everything(), [
        ("tools/list", None), ("prompts/list", {}), ("resources/list", {}), ("resources/templates/list", {}),
        tool("echo", message="\u00fc\u4e16\U0001f30d\u2028\u0000"), tool("get-sum", a=2.5, b=-7),
        tool("get-structured-content", location="Chicago"), tool("get-tiny-image"),
        tool("get-annotated-message", messageType="error", includeImage=True),
        ("prompts/get", {"name": "args-prompt", "arguments": {"city": "Bern", "state": "BE"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "completable-prompt"},
                                 "argument": {"name": "department", "value": "E"}}),
        ("resources/read", {"uri": "demo://resource/static/document/features.md"}),
        ("ping", None), ("no/such/method", {}), tool("get-sum", a="two")])
    require(len(answers[0]["result"]["tools"]) > 9, "many tools are listed")
    require_equal(answers[5]["result"]["content"][0]["text"], "The sum of 2.5 and -7 is -4.5.", "a sum")
    require("error" in answers[-2], "an unknown method is an error")


def check_filesystem(context, mode):
    with tempfile.TemporaryDirectory() as folder:
        folder = os.path.realpath(folder)
        path, text = os.path.join(folder, "note \u00e9.txt"), "first\nsecond \U0001f30d\n" + "long " * 100_000
        with context.bridge(commands.filesystem(folder), mode) as bridge, open_session(bridge, mode) as session:
            session.call("write_file", {"path": path, "content": text})
        with open(path, encoding="utf-8", newline="") as file:
            require_equal(file.read(), text, "the file on the disk")
        answers = compare(context, mode, commands.filesystem(folder), [
            ("tools/list", {}), tool("list_allowed_directories"), tool("list_directory", path=folder),
            tool("read_text_file", path=path), tool("read_text_file", path=path, head=1),
            tool("edit_file", path=path, edits=[{"oldText": "first", "newText": "premier"}], dryRun=True),
            tool("read_text_file", path=os.path.join(folder, "absent"))])
        require_equal(answers[3]["result"]["content"][0]["text"], text, "the file as the client reads it")
        require(answers[-1]["result"]["isError"], "an absent file is an error")


def check_time(context, mode):
    answers = compare(context, mode, commands.time_server(), [
        ("tools/list", {}),
        tool("convert_time", source_timezone="UTC", time="12:30", target_timezone="Asia/Tokyo"),
        tool("get_current_time", timezone="Nowhere/Atlantis")])
    require_equal({one["name"] for one in answers[0]["result"]["tools"]}, {"get_current_time", "convert_time"}, "tools")
    with context.bridge(commands.time_server(), mode) as bridge, open_session(bridge, mode) as session:
        now = json.loads(session.call("get_current_time", {"timezone": "Europe/Zurich"}))
        require_equal(now["timezone"], "Europe/Zurich", "the time zone")


SERVERS = {"server-everything": check_everything, "server-filesystem": check_filesystem, "mcp-server-time": check_time}


def declare(mode, name):
    case(f"{name} says through the bridge what it says directly, {mode[2:]}")(lambda context: SERVERS[name](context, mode))


for each_name in SERVERS:
    for each_mode in MODES:
        declare(each_mode, each_name)
