"""LiteLLM's proxy in front of bridges: its configuration, its start and end, and a plain client for its REST side."""
import atexit
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

from suite import Failure, require, setting, until

START_SECONDS = 300  # it takes 20 s of processor time
LIMIT = 120  # seconds that an answer may take


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gateway:
    """Started with {name: an entry of mcp_servers}. Each entry gets its name as its id, so that REST calls can name it."""

    def __init__(self, servers):
        self.key = f"sk-{secrets.token_hex(24)}"  # it refuses to start with one that is easy to guess
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = tempfile.mkdtemp(prefix="litellm-")
        atexit.register(self.end)
        config = {"general_settings": {"master_key": self.key},
                  "mcp_servers": {name: {"server_id": name, **entry} for name, entry in servers.items()}}
        path = os.path.join(self.folder, "config.json")
        with open(path, "w", encoding="ascii") as file:
            json.dump(config, file)  # JSON is YAML
        self.log = os.path.join(self.folder, "log")
        python = os.path.join(setting("E2E_VENV_LITELLM"), "bin", "python")
        command = [python, os.path.join(os.path.dirname(python), "litellm"), "--config", path, "--host", "127.0.0.1", "--port",
                   str(self.port)]
        # Nothing is fetched: neither the prices of models nor an update, and nothing is told to anybody.
        quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False", "DO_NOT_TRACK": "1", "NO_PROXY": "*"}
        start = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env={**os.environ, **quiet})
        until(self._is_alive, "LiteLLM is alive", START_SECONDS)
        self.start_seconds = time.monotonic() - start

    def _is_alive(self):
        require(self.process.poll() is None, f"LiteLLM ended: {self.last_lines()}")
        try:
            return self._exchange("GET", "/health/liveliness", None, 5)[0] == 200
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
            return False

    def last_lines(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "\n".join(file.read().splitlines()[-30:])

    def _exchange(self, method, path, body, limit):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def tools(self, server=None, limit=LIMIT):
        """(the names of the tools by server, what became of each server)"""
        query = f"?{urllib.parse.urlencode({'server_id': server})}" if server else ""
        status, found = self._exchange("GET", f"/mcp-rest/tools/list{query}", None, limit)
        require(status == 200 and "tools" in found, f"a list of tools: {status} {found}")
        names = {}
        for tool in found["tools"]:
            names.setdefault(tool["mcp_info"]["server_id"], set()).add(tool["name"])
        return names, {name: one["status"] for name, one in (found.get("server_outcomes") or {}).items()}

    def result(self, server, tool, arguments, limit=LIMIT):
        """(status, body) of one call."""
        body = {"server_id": server, "name": tool, "arguments": arguments}
        return self._exchange("POST", "/mcp-rest/tools/call", body, limit)

    def call(self, server, tool, arguments, limit=LIMIT):
        """The text of a call that succeeds."""
        status, body = self.result(server, tool, arguments, limit)
        if status != 200 or body.get("isError"):
            raise Failure(f"{tool} of {server} gives a result: {status} {body}")
        return body["content"][0]["text"]

    def begin(self, server, tool, arguments):
        """Sends a call and returns the socket, for clients that do not wait for an answer."""
        body = json.dumps({"server_id": server, "name": tool, "arguments": arguments}).encode()
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
        sock.sendall(b"POST /mcp-rest/tools/call HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                     b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (self.key.encode(), len(body), body))
        return sock

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
