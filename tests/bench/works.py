"""The works that are measured, in the table's order."""
from dataclasses import dataclass


@dataclass
class Work:
    name: str
    title: str
    load: dict  # the load client's options
    kind: str = "session"  # or "stateless"
    server: str = ""  # "modern": a server of revision 2026-07-28 alone, which the peers cannot speak to
    unit: str = "calls/s"
    is_short: bool = False  # part of the short run
    calls: int = 4000  # for counting system calls
    times: int = 1  # as long as the others: one with few calls a second
    direct: int = 0  # calls under way, for the server without anything in front of it


WORKS = [
    Work("one", "one session, one call after the other", {"connections": 1, "sessions": 1}, is_short=True, direct=1),
    Work("one-32", "one session, 32 in flight", {"connections": 32, "sessions": 1}, is_short=True, calls=20000,
         direct=32),
    Work("one-256", "one session, 256 in flight", {"connections": 256, "sessions": 1}, calls=20000, direct=256),
    Work("32", "32 sessions, one call each", {"connections": 32, "sessions": 32}, is_short=True, calls=20000),
    Work("1000", "1000 sessions, one call each", {"connections": 1000, "sessions": 1000}, calls=20000),
    Work("stateless", "no session, 32 in flight", {"connections": 32}, kind="stateless", is_short=True, calls=20000),
    Work("stateless-one", "no session, one call after the other", {"connections": 1}, kind="stateless"),
    Work("modern", "revision 2026-07-28 on an older server, 32 in flight", {"connections": 32, "modern": 1},
         kind="stateless", calls=20000),
    Work("modern-modern", "revision 2026-07-28 on such a server, 32 in flight", {"connections": 32, "modern": 1},
         kind="stateless", server="modern", calls=20000),
    Work("older-modern", "32 sessions on a server of revision 2026-07-28, one call each",
         {"connections": 32, "sessions": 32}, server="modern", calls=20000),
    Work("churn", "a session for each call, 8 at a time", {"connections": 8, "churn": 1}, unit="cycles/s",
         is_short=True),
    Work("progress", "10 progress events before each answer, 8 sessions",
         {"connections": 8, "sessions": 8, "progress": 10}),
    Work("1KiB", "1 KiB there and back, 8 sessions", {"connections": 8, "sessions": 8, "payload": 1 << 10}, direct=8),
    Work("64KiB", "64 KiB there and back, 8 sessions", {"connections": 8, "sessions": 8, "payload": 64 << 10},
         calls=1000, direct=1),
    Work("1MiB", "1 MiB there and back, 4 sessions", {"connections": 4, "sessions": 4, "payload": 1 << 20},
         is_short=True, calls=100, direct=1),
    Work("16MiB", "16 MiB there and back, 2 sessions", {"connections": 2, "sessions": 2, "payload": 16 << 20}, calls=10,
         times=3, direct=1),
]
