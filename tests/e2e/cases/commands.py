"""The command lines of the servers that stand behind the bridge."""
import os
import sys

from suite import setting

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIXTURES = os.path.join(os.path.dirname(HERE), "fixtures")
PYTHON = [sys.executable, "-B"]


def example():
    return [setting("E2E_EXAMPLE")]


def npm(name):
    return [setting("E2E_NODE"), os.path.join(setting("E2E_NODE_MODULES"), "@modelcontextprotocol", name, "dist", "index.js")]


def everything():
    return npm("server-everything")


def filesystem(folder):
    return [*npm("server-filesystem"), folder]


def time_server():
    return [os.path.join(setting("E2E_VENV_SERVERS"), "bin", "mcp-server-time"), "--local-timezone", "UTC"]


def echo():
    """The project's own well-behaved fixture."""
    return [*PYTHON, os.path.join(FIXTURES, "echo.py")]


def raw_echo():
    return [*PYTHON, os.path.join(HERE, "raw_echo.py")]


def awkward(mode):
    """The same, but it misbehaves in one way."""
    return [*PYTHON, os.path.join(FIXTURES, "awkward.py"), "--mode", mode]
