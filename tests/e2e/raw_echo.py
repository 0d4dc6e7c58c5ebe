#!/usr/bin/env python3
"""A stdio server that answers with the very bytes of the params it got, and with their SHA-256.

The digest tells whether the bytes were intact on their way in; the copy, whether they stayed so on their way out.
answer() is shared with the test, which so knows every byte of the answer it must get.
"""
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "fixtures"))
from rawjson import members  # noqa: E402  (the line above must come first)

HANDSHAKE = (b'{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},'
             b'"serverInfo":{"name":"raw_echo","version":"1"}}')

# The shapes an answer may have: orders of members, white space, unknown members, decoys inside of the payload.
# An error's data is a payload too.
SHAPES = (
    (b'{"jsonrpc":"2.0","id":', b',"result":', b'}'),
    (b'{"id":', b',"result":', b',"jsonrpc":"2.0"}'),
    (b' \t{ "jsonrpc" : "2.0" ,\t"id" : ', b' , "result" : ', b' } '),
    (b'{"x":{"id":1,"result":[{}]},"jsonrpc":"2.0","id":', b',"y":"\\"id\\":0","result":', b',"z":null}'),
    (b'{"jsonrpc":"2.0","id":', b',"error":{"code":-32001,"message":"\\u0000\\/","data":', b'}}'),
)


def answer(ident, params):
    """The line for a request with these bytes as id and params. Which shape it has depends on the params."""
    digest = hashlib.sha256(params).hexdigest().encode()
    before, between, after = SHAPES[digest[0] % len(SHAPES)]
    return before + ident + between + b'{"sha256":"' + digest + b'","params":' + params + b"}" + after


def main():
    for line in sys.stdin.buffer:
        message = members(line)
        if "id" not in message:
            continue
        if message["method"] == b'"initialize"':
            reply = b'{"jsonrpc":"2.0","id":' + message["id"] + b',"result":' + HANDSHAKE + b"}"
        else:
            reply = answer(message["id"], message.get("params", b"null"))
        sys.stdout.buffer.write(reply + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
