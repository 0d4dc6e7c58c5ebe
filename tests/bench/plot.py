"""Draws the plots of a run: plot.py FOLDER reads FOLDER/results.json and writes FOLDER/*.svg."""
import json
import os
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "mcp-bridge"  # the same figures make the same file
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {"mcp-bridge": "#c0392b", "relay": "#7f8c8d", "relay, pipes": "#bdc3c7", "server alone": "#ecf0f1",
           "supergateway": "#2980b9", "mcp-proxy (npm)": "#27ae60", "mcp-proxy (PyPI)": "#f39c12",
           "mcp-proxy (Go)": "#8e44ad"}


def bars(results, works, name, label, path):
    """Groups of bars on a logarithmic axis; what failed has none."""
    works = [work for work in works if work in results["works"]]
    targets = [target for target in COLOURS if any(results["works"][work].get(target, {}).get(name)
                                                   for work in works)]
    if not works or not targets:
        return
    figure, axes = plt.subplots(figsize=(1.5 + 1.7 * len(works), 4.2))
    width = 0.85 / len(targets)
    for number, target in enumerate(targets):
        values = [results["works"][work].get(target, {}).get(name) or float("nan") for work in works]
        places = [at + (number - (len(targets) - 1) / 2) * width for at in range(len(works))]
        axes.bar(places, values, width, label=target, color=COLOURS[target], edgecolor="#555", linewidth=0.3)
    axes.set_yscale("log")
    axes.set_xticks(range(len(works)), [results["titles"][work][0].replace(", ", ",\n", 1) for work in works], fontsize=8)
    axes.set_ylabel(label)
    axes.grid(axis="y", linewidth=0.3)
    axes.legend(fontsize=7, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        results = json.load(file)
    small = ["one-32", "one-256", "32", "1000", "stateless", "churn"]
    bars(results, small, "per_second", "per second", os.path.join(folder, "throughput.svg"))
    bars(results, ["one", "stateless-one"], "p50_us", "median latency, µs", os.path.join(folder, "latency.svg"))
    bars(results, ["one", "stateless-one"], "p99_us", "99th percentile, µs", os.path.join(folder, "latency-p99.svg"))
    bars(results, ["1KiB", "64KiB", "1MiB", "16MiB"], "per_second", "calls per second",
         os.path.join(folder, "payloads.svg"))
    bars(results, ["one", *small, "1MiB"], "cpu_us", "CPU time per call, µs", os.path.join(folder, "cpu.svg"))


if __name__ == "__main__":
    main()
