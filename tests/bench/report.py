"""The tables of a run, as Markdown, and how far the goals are reached."""

OURS = "mcp-bridge"
RELAY = "relay"
PIPES = "relay, pipes"
GO = "mcp-proxy (Go)"


def figure(value):
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def cell(value, ours, is_ours):
    """A figure, and how many times ours it is."""
    if value is None:
        return "-"
    return figure(value) if is_ours or not ours else f"{figure(value)} ({value / ours:.2g})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def pick(results, work, target, name):
    return results["works"].get(work, {}).get(target, {}).get(name)


def columns(results):
    names = list(results["versions"])
    has_direct = any("server alone" in row for row in results["works"].values())
    return names + (["server alone"] if has_direct else [])


def works_table(results, name):
    rows = []
    names = columns(results)
    for work, row in results["works"].items():
        ours = row.get(OURS, {}).get(name)
        title, unit = results["titles"][work]
        cells = [title + (f", {unit}" if name == "per_second" else "")]
        for target in names:
            seen = row.get(target)
            is_refused = seen is not None and "error" in seen
            if name == "cpu_us" and target == "server alone":
                seen = None
            cells.append("-" if seen is None else "fails" if is_refused else cell(seen[name], ours, target == OURS))
        rows.append(cells)
    return table(["", *names], rows)


def errors_list(results):
    lines = []
    for work, row in results["works"].items():
        for target, seen in row.items():
            if "error" in seen:
                lines.append(f"- {target}, {results['titles'][work][0]}: {seen['error']}")
    return "\n".join(lines) + "\n" if lines else ""


def start_table(results):
    rows = [[name, figure(one["listening_ms"]), figure(one["answer_ms"]), figure(one["rss_kib"] / 1024),
             figure(one["pss_kib"] / 1024)] for name, one in results["start"].items()]
    return table(["", "start to listening, ms", "to the first call's answer, ms", "resident, MiB",
                  "without what others share, MiB"], rows)


def idle_table(results):
    rows = []
    for name, kinds in results["idle"].items():
        few = kinds["beside 10"].get("per_second")
        for kind in ("without", "with a stream"):
            one = kinds[kind]
            if "error" in one:
                rows.append([name, kind, "fails: " + one["error"], *"-----"])
            else:
                share = f"{100 * one['per_second'] / few:.0f} %" if few and one.get("per_second") else "-"
                rows.append([name, f"{one['count']:.0f} {kind}", *(figure(one.get(part)) for part in (
                    "kib_each", "per_second")), share, figure(one.get("p99_us")), figure(one.get("cpu_us")),
                    figure(kinds["beside 10"].get("cpu_us"))])
    return table(["", "idle sessions", "KiB each", "calls/s beside them", "of those beside 10", "p99, µs",
                  "CPU per call, µs", "beside 10"], rows)


def system_call_table(results):
    names = list(results["versions"])
    rows = [[results["titles"][work][0], *(figure(row.get(name)) for name in names)]
            for work, row in results["system_calls"].items()]
    return table(["", *names], rows)


# ---- Goals ----

def ratio(a, b):
    return a / b if a and b else None


def best_with_sessions(results, work):
    others = (OURS, RELAY, PIPES, GO, "server alone")
    seen = [row.get("per_second") for name, row in results["works"].get(work, {}).items() if name not in others]
    return max((value for value in seen if value), default=None)


def work_goals(results):
    for work in ("one-32", "32", "stateless"):
        ours = pick(results, work, OURS, "per_second")
        yield f"{work}: calls/s, of the relay's", ratio(ours, pick(results, work, RELAY, "per_second")), ">=", 1
        if work != "stateless":
            yield (f"{work}: calls/s, of the best peer that keeps sessions", ratio(ours, best_with_sessions(results, work)),
                   ">=", 40)
        yield f"{work}: CPU per call, of the relay's", ratio(pick(results, work, OURS, "cpu_us"),
                                                             pick(results, work, RELAY, "cpu_us")), "<=", 1.3
    yield "stateless: calls/s, of the Go proxy's", ratio(pick(results, "stateless", OURS, "per_second"),
                                                         pick(results, "stateless", GO, "per_second")), ">=", 5
    for part in ("p50_us", "p99_us"):
        yield f"one: {part[:3]}, of the relay's", ratio(pick(results, "one", OURS, part),
                                                        pick(results, "one", RELAY, part)), "<=", 1.4
    churn = pick(results, "churn", OURS, "per_second")
    yield "churn: cycles/s, of the relay's", ratio(churn, pick(results, "churn", RELAY, "per_second")), ">=", 0.8
    yield "churn: cycles/s, of the Go proxy's", ratio(churn, pick(results, "churn", GO, "per_second")), ">=", 4
    for work in ("1MiB", "16MiB"):
        ours = pick(results, work, OURS, "per_second")
        yield f"{work}: calls/s, of the relay's", ratio(ours, pick(results, work, RELAY, "per_second")), ">=", 0.8
        yield f"{work}: calls/s, of the relay's over pipes", ratio(ours, pick(results, work, PIPES, "per_second")), ">=", 0.8


def memory_goals(results):
    start = results.get("start", {}).get(OURS)
    if start:
        yield "idle memory, resident, MiB", start["rss_kib"] / 1024, "<=", 4
        yield "start to listening, ms", start["listening_ms"], "<=", 10
    idle = results.get("idle", {}).get(OURS)
    if idle and "error" not in idle["with a stream"]:
        many = idle["with a stream"]
        yield "KiB a session with an open stream", many["kib_each"], "<=", 12
        yield "KiB a session", idle["without"].get("kib_each"), "<=", 2
        yield (f"calls/s beside {many['count']:.0f} idle sessions, of those beside 10",
               ratio(many["per_second"], idle["beside 10"].get("per_second")), ">=", 0.95)


def goals(results):
    rows = []
    for what, value, direction, goal in [*work_goals(results), *memory_goals(results)]:
        if value is not None:
            is_met = value >= goal if direction == ">=" else value <= goal
            rows.append([what, f"{direction} {goal}", figure(value), "yes" if is_met else "**no**"])
    return table(["goal", "", "this run", "met"], rows)


def write(results):
    machine = results["machine"]
    parts = [f"Measured {results['when']}: {results['rounds']} rounds of {results['seconds']} s, "
             f"interleaved, medians; {machine['processors']} processors ({machine['processor']}) shared by client, "
             f"bridge and server, Linux {machine['kernel']}, libuv {machine['libraries']['libuv']}, "
             f"gcc {machine['compiler']}; load average {machine['load_average_at_start']} at the start and "
             f"{results['load_average_at_end']} at the end. In brackets: times mcp-bridge's figure.\n",
             "Versions: " + ", ".join(f"{name} {version}" for name, version in results["versions"].items() if version)
             + ".\n",
             "**Per second**\n", works_table(results, "per_second"),
             "**Latency, median, µs**\n", works_table(results, "p50_us"),
             "**Latency, 99th percentile, µs**\n", works_table(results, "p99_us"),
             "**CPU time of the bridge's processes per call, µs**\n", works_table(results, "cpu_us")]
    errors = errors_list(results)
    if errors:
        parts += ["What failed, and how:\n", errors]
    if results.get("system_calls"):
        parts += ["**System calls of the bridge's processes per call**\n", system_call_table(results)]
    if results.get("start"):
        parts += ["**Start, and memory after one call**\n", start_table(results)]
    if results.get("idle"):
        parts += ["**Idle sessions**\n", idle_table(results)]
    parts += ["**Goals**\n", goals(results)]
    return "\n".join(parts)
