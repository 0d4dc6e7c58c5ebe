#!/usr/bin/env python3
"""Starts a program as systemd does that has a socket for it (sd_listen_fds(3)).

    activate.py ADDRESS PROGRAM [ARGUMENT...]     the address is an IP address, or unix:PATH
"""
import os
import socket
import sys

FIRST = 3  # the descriptor behind the standard ones


def listening(address):
    if address.startswith("unix:"):
        found = socket.socket(socket.AF_UNIX)
        found.bind(address[len("unix:"):])
        found.listen()
        return found
    return socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)


def main():
    descriptor = listening(sys.argv[1]).detach()
    os.dup2(descriptor, FIRST)  # which makes it one that the program inherits
    if descriptor != FIRST:
        os.close(descriptor)
    else:
        os.set_inheritable(FIRST, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="mcp")
    os.execvp(sys.argv[2], sys.argv[2:])


main()
