"""What the figures come to: tables, RESULTS.md, plots."""

import json
import math
import platform
from pathlib import Path

import datasets
import plot

RECALLS = (0.90, 0.95, 0.99)
ABOUT = """\
# vecstore beside other libraries

Written by `make peers` (the scripts are in [peers](peers)): the same data, the same run, each library
in a process of its own, one thread. In each round every library in turn opened its index and answered
1,000 queries, one after the other, at rising settings; the figures are medians. Rounds: {rounds}.
Queries a second are those of the process's CPU time, at recall@10 against exact search, interpolated
along the curve (the logarithm of the rate over the recall); a dash means that the recall was not
reached. M = 16 and efConstruction = 200 where a library has them, everything else as it comes; their
versions are in [requirements.txt](peers/requirements.txt) and [Cargo.toml](peers/hannoy/Cargo.toml).
The queries are held out from the base, and all vectors are compared by cosine.

Python costs the libraries little: hnswlib, usearch, faiss-hnsw, symphonyqg and svs get all queries in
one call, vecstore and hannoy are called for each, faiss-ivfpqfs and vsag too, through Python. The
memory is what no file is behind, after all queries: of the whole process for vecstore and hannoy,
without the interpreter and the queries for the others. Opening and the first query find the files in
the page cache. Building is CPU time, of each library once, of vecstore in this run.

{machine}.
"""


def table(result):
    """The figures of a data set, the fastest at recall .95 first."""
    libraries = result["libraries"]
    head = ["library", *(f"{recall:.2f}" for recall in RECALLS)]
    head += [f"x hnswlib {recall:.2f}" for recall in RECALLS]
    head += ["build, CPU s", "bytes/vector", "open, ms", "first query, ms", "memory, MB"]
    rows = []
    for name, figures in libraries.items():
        rates = [rate(figures["curve"], recall) for recall in RECALLS]
        row = [name, *(shown(value, 0) for value in rates)]
        for value, recall in zip(rates, RECALLS):
            other = rate(libraries["hnswlib"]["curve"], recall) if "hnswlib" in libraries else None
            row.append(shown(value / other if value and other else None, 2))
        row += [shown(figures["build_cpu_s"], 1), shown(figures["bytes_per_vector"], 0)]
        row += [shown(figures[name], 2) for name in ("open_ms", "first_query_ms")]
        row.append(shown(figures["reader_anon_mb"], 1))
        rows.append((rates[1] or 0, row))
    rows.sort(key=lambda row: -row[0])
    text = [f"{result['data']}:", "", *markdown(head, [row for _, row in rows]), ""]
    if result["failed"]:
        text += [f"Ended with an error on this machine: {', '.join(result['failed'])}.", ""]
    return "\n".join(text)


def rate(curve, recall):
    """Queries per CPU second at a recall; none if it is not reached."""
    points = frontier(curve)
    if not points or points[-1][0] < recall:
        return None
    below = None
    for point in points:
        if point[0] >= recall:
            break
        below = point
    if below is None:
        return point[1]  # even the fastest setting finds more
    share = (recall - below[0]) / (point[0] - below[0])
    return math.exp((1 - share) * math.log(below[1]) + share * math.log(point[1]))


def frontier(curve):
    """Recalls and rates of the settings that no other beats in both, the recall rising."""
    points = []
    for _, recall, cpu, _ in sorted(curve, key=lambda point: (point[1], point[2])):
        while points and points[-1][1] <= cpu:
            points.pop()
        points.append((recall, cpu))
    return points


def write(folder, results):
    """RESULTS.md and its plots in `folder`, from the newest results of each data set."""
    found = {name: results / f"{name}.json" for name in datasets.ALL}
    found = {name: json.loads(path.read_text()) for name, path in found.items() if path.exists()}
    if not found:
        return
    rounds = min(result["rounds"] for result in found.values())
    text = [ABOUT.format(rounds=rounds, machine=machine())]
    plots = folder / "plots"
    plots.mkdir(exist_ok=True)
    for name in datasets.DEFAULT:
        if name in found:
            curves = {library: frontier(figures["curve"])
                      for library, figures in found[name]["libraries"].items()}
            (plots / f"{name}.svg").write_text(plot.recall_and_rate(name, curves))
            text += [f"## {name}", "", datasets.ABOUT[name], ""]
            text += [f"![Recall and rate](plots/{name}.svg)", ""]
            text += [*table(found[name]).splitlines()[2:], ""]
    scale = [found[name] for name in datasets.SCALE if name in found]
    if len(scale) == len(datasets.SCALE):
        (plots / "scale.svg").write_text(plot.cost_and_size(costs(scale)))
        text += growth(scale)
    threads = results / "threads.txt"
    if threads.exists():
        text += ["## Two threads", "", "```", threads.read_text().rstrip(), "```", ""]
    (folder / "RESULTS.md").write_text("\n".join(text))


def costs(scale, recall=0.99):
    """For each library, the sizes of the data sets and the microseconds of CPU of a query."""
    return {
        library: [
            (datasets.SCALE[result["data"]][0],
             1e6 / rate(result["libraries"][library]["curve"], recall))
            for result in scale
        ]
        for library in datasets.SCALE_LIBRARIES
    }


def growth(scale):
    """How the cost of a query grows with the number of vectors."""
    sizes = [datasets.SCALE[result["data"]][0] for result in scale]
    rows = []
    for library, points in costs(scale).items():
        a, b = plot.logarithm_through(points)
        rows.append([library, *(f"{cost:.0f}" for _, cost in points),
                     f"{a:.0f} {b:+.1f} ln n", f"{points[-1][1] / points[0][1]:.2f}"])
    head = ["library", *(f"{size:,}" for size in sizes), "fit", "1,000,000 / 10,000"]
    return ["## From 10,000 to 1,000,000", "",
            "Microseconds of CPU of a query at recall@10 = .99 among vectors of 64 components around 1,000",
            "centres, and the least squares fit of a + b ln n.", "", "![Cost and size](plots/scale.svg)", "",
            *markdown(head, rows), ""]


def machine():
    models = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    wide = "AVX-512" if "avx512f" in Path("/proc/cpuinfo").read_text() else "no AVX-512"
    return f"{len(models)} cores, {models[0]} ({wide}), {platform.system()}, beside other work"


def shown(value, digits):
    return "–" if value is None else f"{value:,.{digits}f}"


def markdown(head, rows):
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
