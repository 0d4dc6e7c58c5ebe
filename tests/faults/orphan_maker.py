#!/usr/bin/env python3
"""A stdio server whose tool `orphans` leaves as many orphans behind as the command line says.

Each is a process whose parent is gone when it ends, in a session of its own, so that it belongs to nobody.
"""
import json
import os
import sys


def make_orphan():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execl("/bin/sleep", "sleep", "0.2")
        os._exit(0)


def make_orphans(count):
    for _ in range(count):
        make_orphan()
        os.wait()
    return {"count": count}


def main():
    count = int(sys.argv[1])
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        if message["method"] == "initialize":
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                      "serverInfo": {"name": "orphans", "version": "1"}}
        elif message["method"] == "tools/call" and message["params"]["name"] == "orphans":
            result = {"content": [], "structuredContent": make_orphans(count)}
        elif message["method"] == "tools/call":
            continue
        else:
            result = {}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)


if __name__ == "__main__":
    main()
