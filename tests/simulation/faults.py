#!/usr/bin/env python3
"""Whether the simulation finds what it is there to find: plants faults in a copy of bridge/, one after the other, and
counts the seeds until each is found.

    tests/simulation/faults.py [--seeds N] [WORD...]     only the faults whose names hold one of the words
    tests/simulation/faults.py --check                   only whether each fits the code and compiles
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COPY = os.path.join(ROOT, "build", "faults")

# Name, file below bridge/, what stands there once, what stands there instead; the last three again where one change is
# not enough, because the bridge looks twice.
FAULTS = [
    ("a wrong id: the answer bears the wire id", "mcp/legacy_relay.c",
     "{{message->id, call->id}, {slice_of(NULL, 0), slice_of(NULL, 0)}};",
     "{{message->id, message->id}, {slice_of(NULL, 0), slice_of(NULL, 0)}};"),
    ("a wrong token: progress bears the wire id", "mcp/legacy_relay.c",
     "const struct replacement replacement = {message->progress_token, call->token};",
     "const struct replacement replacement = {message->progress_token, message->progress_token};"),
    ("a lost cancel: the child is not told", "mcp/channel.c",
     "        tell_cancelled(channel, wire_id);\n", "        (void)wire_id;\n"),
    ("a lost cancel: an orphan outlives its session", "transport/post.c",
     "        give_up_requests(post);\n    } else {\n        give_up(post);\n    }",
     "        give_up_requests(post);\n    } else {\n        list_remove(&orphan->link);\n    }"),
    ("a leaked entry: a given-up call stays in the mux", "mcp/mux.c",
     "    map_remove(&mux->entries, &entry->node);\n    mux->running_count--;",
     "    mux->running_count--;"),
    ("a leaked entry: a finished call is counted for ever", "mcp/server.c",
     "void server_give_up(struct server *server, struct call *call)\n{",
     "void server_give_up(struct server *server, struct call *call)\n{\n    server->call_count += call->session != NULL;"),
    ("a leaked entry: an idle session never ends", "mcp/session_table.c",
     "    uint64_t idle_ms = session->holds > 0 ? 0 : timers_now(timers) - session->heard_ms;",
     "    uint64_t idle_ms = 0;"),
    ("a leaked entry: subscriptions outlive their session", "mcp/subscriptions.c",
     "            free_subscription(subscriptions, subscription);\n        }\n    }\n}",
     "        }\n    }\n}"),
    ("an answer to the wrong session: to whoever waits longest", "mcp/channel.c",
     "        relay_answer(channel, call, message);",
     "        relay_answer(channel, first_call(&channel->running), message);"),
    ("an answer to the wrong session: updates go to everybody", "mcp/route.c",
     "        subscriptions_visit_sessions(&hub->subscriptions, message->uri, deliver_update, "
     "(void *)(uintptr_t)message);",
     "        LIST_FOR_EACH(link, &hub->sessions) {\n            deliver_update((void *)(uintptr_t)message, "
     "container_of(link, struct session, in_hub));\n        }"),
    ("an answer to the wrong session: logs go to any call that runs", "mcp/channel.c",
     "    if (!mux_is_certain(&channel->mux, channel->listen_count, timers_now(channel->world->timers))) {",
     "    if (timers_now(channel->world->timers) == 0) {"),
    ("an answer to the wrong session: a question's answer goes by its number", "mcp/callback.c",
     "        if (callback->id == number) {\n            return callback;",
     "        if (callback->id >= number) {\n            return callback;"),
    ("a drain that refuses sessions whose calls still run", "transport/streamable.c",
     "               server_find_session(server, name, caller->principal) != NULL;",
     "               server_find_session(server, name, caller->principal) == NULL;"),
    ("a drain that waits for a call that is over", "mcp/server.c",
     "    call->is_awaited = false;\n    server->awaited_calls--;\n", "    call->is_awaited = false;\n"),
    ("a session for anybody who knows its name", "transport/credentials.c",
     "    return slice_equals(caller->environment, session->hub->environment);",
     "    return caller != NULL && session != NULL;"),
    ("a double end: a cancelled call is answered too", "mcp/channel.c",
     "    if (call->state == CALL_RUNNING || call->state == CALL_WAITING) {\n        forget_call(channel, call);",
     "    if (call->state == CALL_WAITING) {\n        forget_call(channel, call);"),
    ("a double end: a late answer is taken for a call", "transport/post.c",
     "    if (post->open_calls == 0) {\n        post->exchange->operations->close_stream(post->exchange);\n    }",
     "    if (post->open_calls == 0) {\n        send_event(post, parts, count);\n"
     "        post->exchange->operations->close_stream(post->exchange);\n    }"),
    ("a request done twice: delivered lines are written again", "mcp/channel.c",
     "if (call->written_end > written_bytes) {", "if (call->written_end + 400 > written_bytes) {"),
    ("a lost event: resuming skips one", "mcp/replay.c",
     "        if (event->number > number) {", "        if (event->number > number + 1) {"),
    ("a ceiling: one session too many", "mcp/session_table.c",
     "if (table->sessions.count >= table->max_sessions) {", "if (table->sessions.count > table->max_sessions) {"),
    ("a ceiling: the history of a session grows", "mcp/replay.c",
     "    while (replay->bytes + size > store->max_session_bytes) {",
     "    while (replay->bytes > store->max_session_bytes) {"),
    ("a question reaches the wrong call: the one that parked last", "mcp/route.c",
     "    } else if (borrower(hub) != NULL) {\n        struct call *call = borrower(hub);",
     "    } else if (borrower(hub) != NULL) {\n        static struct call *last;\n"
     "        struct call *call = last != NULL && last->state == CALL_RUNNING ? last : borrower(hub);\n"
     "        last = call;"),
    ("a question reaches who has not declared that it can answer", "era/legacy_child.c",
     "} else if (!legacy_text_may_be_asked(translated->capabilities, message)) {",
     "} else if (message->id.size == 0) {"),
    ("a parked call leaks: it never expires", "era/legacy_child.c",
     "    if (timeout_ms > 0) {\n        timer_start(world->timers, &translated->timer, timeout_ms, on_park_timeout);",
     "    if (timeout_ms > 100000000) {\n        timer_start(world->timers, &translated->timer, timeout_ms, "
     "on_park_timeout);"),
    ("a state is good twice: the round is not looked at", "era/legacy_child.c",
     "return translated != NULL && translated->handle.round == state->round ? translated : NULL;",
     "return translated;"),
    ("a state reaches a child that has not made it", "era/era.c",
     "    if (hub->channel.is_modern && !was_parked(era, message, caller)) {",
     "    if (hub->channel.is_modern) {"),
    ("a call that came again is not ended when its client goes", "era/legacy_child.c",
     "static void on_give_up(struct call_shim *shim)\n{\n",
     "static void on_give_up(struct call_shim *shim)\n{\n"
     "    struct translated *left = container_of(shim, struct translated, shim);\n"
     "    if (left->handle.round > 0) {\n        left->client = NULL;\n        return;\n    }\n"),
    ("a state is good for another principal", "era/request_state.c",
     "        binding->principal,\n", "        slice_of(\"\", 0),\n", "era/legacy_child.c",
     "    if (translated == NULL || !caller_is_same(&translated->caller, caller)) {", "    if (translated == NULL) {"),
    ("a loan is never served: who gives back tells nobody", "mcp/children.c",
     "    list_append(children->free.next, &hub->in_children);\n    serve_loans(children);",
     "    list_append(children->free.next, &hub->in_children);"),
    ("a child is lent to another principal", "era/legacy_text.c",
     "    buffer_add_format(out, \"%zu %zu \", caller->principal.size, caller->environment.size);\n"
     "    buffer_add(out, caller->principal);\n",
     "    buffer_add_format(out, \"%zu \", caller->environment.size);\n"),
    ("a lent child that is still at work is lent again", "mcp/children.c",
     "    if (is_at_work || is_useless ||", "    if (is_useless ||"),
    ("a translated result loses a member", "era/legacy_text.c",
     "    in_result.with.data = data;\n",
     "    in_result.with.data = data;\n    struct slice rest = message->result;\n    struct member lost;\n"
     "    if (in_result.span.data != NULL && members_next(&rest, &lost) && rest.data[0] == ',') {\n"
     "        in_result.span.size = (size_t)(rest.data + 1 - in_result.span.data);\n    }\n"),
    ("a modern key reaches a legacy child", "era/legacy_text.c",
     "        \"io.modelcontextprotocol/logLevel\",\n    };\n    for (size_t i = 0; i < sizeof(keys)",
     "    };\n    for (size_t i = 0; i < sizeof(keys)"),
    ("a subscription is not told again to a new process", "mcp/hub.c",
     "        subscribing_restore(hub);\n", ""),
    ("a subscription is not told again: somebody's unsubscribe came behind it", "mcp/subscribing.c",
     "    if (hub->last_unsubscribe >= call->entry.wire_id) {", "    if (call->entry.wire_id == 0) {"),
    ("a subscription is not told again: an unsubscribe that waited was not noticed", "mcp/subscribing.c",
     "    hub->last_unsubscribe = call->entry.wire_id;\n    if (subscriptions_has", "    if (subscriptions_has"),
]


def changes(fault):
    """(file, old, new)"""
    return [fault[first:first + 3] for first in range(1, len(fault), 3)]


def misfits(faults, root):
    """What is wrong with the entries themselves, (name, what): what each replaces must stand once in today's code."""
    names = [fault[0] for fault in faults]
    for name, path, old, new in [(fault[0], *change) for fault in faults for change in changes(fault)]:
        full = os.path.join(root, "bridge", path)
        count = 0
        if os.path.isfile(full):
            with open(full, encoding="utf-8") as file:
                count = file.read().count(old)
        if count != 1:
            yield name, f"what it replaces stands {count} times in bridge/{path}, not once"
        if old == new:
            yield name, "it changes nothing"
        if names.count(name) > 1:
            yield name, "another has the same name"


def complaint(fault):
    """What the compiler says of the files with the fault in them, None if it takes them."""
    command = [*os.environ.get("CC", "cc").split(), "-std=c11", "-D_GNU_SOURCE", "-I.", "-fsyntax-only",
               "-Werror=implicit-function-declaration", "-Werror=incompatible-pointer-types", "-xc", "-"]
    for path, old, new in changes(fault):
        with open(os.path.join(ROOT, "bridge", path), encoding="utf-8") as file:
            text = file.read().replace(old, new)
        done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return done.stderr[-2000:]
    return None


def check(faults):
    """As TAP; true if all is well."""
    wrong = dict(misfits(faults, ROOT))
    failed = 0
    print(f"1..{len(faults)}")
    for number, fault in enumerate(faults, 1):
        why = wrong.get(fault[0]) or complaint(fault)
        failed += why is not None
        print(f"{'' if why is None else 'not '}ok {number} - fits and compiles: {fault[0]}" + (f": {why}" if why else ""))
    return failed == 0


def make_copy():
    os.makedirs(COPY, exist_ok=True)
    for name in ("bridge", "src", "tests", "examples", "Makefile"):
        target = os.path.join(COPY, name)
        if os.path.isdir(target):
            shutil.rmtree(target)
        source = os.path.join(ROOT, name)
        # With new times: what was built of the last fault is not taken for up to date.
        if os.path.isdir(source):
            shutil.copytree(source, target, copy_function=shutil.copy)
        else:
            shutil.copy(source, target)


def build():
    done = subprocess.run(["make", "--no-print-directory", "-s", f"-j{os.cpu_count() or 1}", "simulation"], cwd=COPY,
                          capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr[-2000:]


def run(seeds):
    """The seed that failed, None for none, and the reason."""
    done = subprocess.run(["build/release/simulation", f"--seeds={seeds}"], cwd=COPY, capture_output=True, text=True,
                          errors="replace", timeout=600, check=False)
    if done.returncode == 0:
        return None, ""
    seed = re.search(r"seed (\d+) failed at step (\d+)", done.stdout)
    reason = re.search(r"ERROR: seed \d+, step \d+: (.*)|: (Assertion.*)|(0x\S+ != .*)", done.stdout)
    text = next((group for group in reason.groups() if group), "") if reason else "a crash"
    return int(seed[1]) if seed else 0, text[:90]


def write(texts):
    for path, text in texts.items():
        with open(os.path.join(COPY, "bridge", path), "w", encoding="utf-8") as file:
            file.write(text)


def plant(fault, seeds):
    sound = {}
    for path, _, _ in changes(fault):
        with open(os.path.join(COPY, "bridge", path), encoding="utf-8") as file:
            sound[path] = file.read()
    planted = dict(sound)
    for path, old, new in changes(fault):
        planted[path] = planted[path].replace(old, new)
    write(planted)
    errors = build()
    seed, reason = run(seeds) if errors is None else (None, "it does not build: " + errors)
    write(sound)
    return seed is not None, f"seed {seed}: {reason}" if seed is not None else reason or f"not found in {seeds} seeds"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20000)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    faults = [fault for fault in FAULTS if not arguments.words or any(word in fault[0] for word in arguments.words)]
    if arguments.check:
        return 0 if check(faults) else 1
    wrong = list(misfits(FAULTS, ROOT))
    for name, what in wrong:
        print(f"not ok - {name}: {what}")
    if wrong or not faults:
        sys.exit("Nothing was planted: an entry does not fit the code" if wrong else "No fault has such a name")
    make_copy()
    print(f"1..{len(faults)}")
    failed = 0
    for number, fault in enumerate(faults, 1):
        is_found, text = plant(fault, arguments.seeds)
        failed += not is_found
        print(f"{'' if is_found else 'not '}ok {number} - {fault[0]}: {text}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
