"""Any client on any server: the official clients of both eras, all at once on one bridge, in front of a server of each
SDK. A cell of the table is one thing that one client does with one server."""
import os

from cases.clients import node, python, run_client
from suite import at_once, case, require, require_equal, setting

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "servers")
CELLS = ["list", "call", "progress", "subscription", "elicitation", "sampling"]

# name: (the program, what follows the plan, whether it speaks the modern era)
CLIENTS = {
    "Python mcp 2.x": (python("E2E_VENV_MCP2", "table2.py"), (), True),
    "TypeScript client 2.x auto": (node("table2.mjs"), ("auto",), True),
    "TypeScript client 2.x pinned": (node("table2.mjs"), ("pin",), True),
    "TypeScript sdk 1.x": (node("table1.mjs"), (), False),
    "Python mcp 1.x": (python("E2E_VENV_MCP1", "table1.py"), (), False),
}


def python_server(folder, script):
    return lambda: [os.path.join(setting(folder), "bin", "python"), "-B", os.path.join(FOLDER, script)]


def node_server(script):
    return lambda: [setting("E2E_NODE"), os.path.join(FOLDER, script)]


SERVERS = {
    "a TypeScript sdk 1.x server": node_server("typescript1.mjs"),
    "a Python mcp 1.x server": python_server("E2E_VENV_MCP1", "python1.py"),
    "a TypeScript server 2.x": node_server("typescript2.mjs"),
    "a Python mcp 2.x server": python_server("E2E_VENV_MCP2", "python2.py"),
}


def declare(server, options=(), words=""):
    @case(f"{len(CLIENTS)} clients of both eras at once on {server}{words}: {', '.join(CELLS)}")
    def check(context):
        with context.bridge(SERVERS[server](), *options) as bridge:
            def fill(name):
                program, extra, is_modern = CLIENTS[name]
                output = run_client(program, extra, {"url": bridge.url}).splitlines()
                require_equal([line[6:] for line in output if line.startswith("cell: ")], CELLS, name)
                if is_modern:
                    require("revision: 2026-07-28" in output, f"{name} speaks the modern era:\n{output}")

            at_once(fill, CLIENTS)


for each_server in SERVERS:
    declare(each_server)
declare("a Python mcp 2.x server", ("--server-era", "modern"), " alone")
