"""What the `ann` command measures of vecstore, of a library in Python; same options, same output.

Every setting of the library is tried until the recall is UNTIL.
"""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import time

import numpy

from libraries import LIBRARIES

CPU_SECONDS = 0.25


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    for name in ("base", "query", "truth", "store"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--until", type=float, default=1.0)
    parser.add_argument("--reader", action="store_true")
    args = parser.parse_args()
    library = LIBRARIES[args.library]()
    library.package = importlib.import_module(library.module)
    if args.reader:
        return search(library, args)
    if not os.path.exists(args.store):
        build(library, args)
    count = len(read(args.base, "<f4"))
    print(f"bytes_per_vector={disk_usage(args.store) / count:.1f}", flush=True)
    sys.exit(subprocess.run([sys.executable, *sys.argv, "--reader"]).returncode)


def build(library, args):
    base = unit(read(args.base, "<f4"))
    part = args.store + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    begin = time.process_time()
    library.build(base, part)
    print(f"build_cpu_s={time.process_time() - begin:.3f}", flush=True)
    os.rename(part, args.store)


def search(library, args):
    queries = unit(read(args.query, "<f4"))
    truth = read(args.truth, "<i4")[:, : args.k]
    # The interpreter and the imported module do not count.
    before = anonymous_memory()
    begin = time.perf_counter()
    library.open(args.store, queries.shape[1])
    opened = time.perf_counter()
    library.search(queries[:1], args.k, library.settings[0])
    first = time.perf_counter()
    lines = ["ef,recall,qps_per_cpu_s,qps_wall"]
    for setting in library.settings:
        found = library.search(queries, args.k, setting)
        hits = sum(len(set(row) & set(right)) for row, right in zip(found, truth.tolist()))
        recall = hits / truth.size
        cpu, wall = [], []
        while sum(cpu) < CPU_SECONDS:
            start = time.process_time(), time.perf_counter()
            library.search(queries, args.k, setting)
            cpu.append(time.process_time() - start[0])
            wall.append(time.perf_counter() - start[1])
        name = setting if isinstance(setting, int) else "/".join(map(str, setting))
        rates = [len(queries) / numpy.median(times) for times in (cpu, wall)]
        lines.append(f"{name},{recall:.5f},{rates[0]:.1f},{rates[1]:.1f}")
        if recall >= args.until:
            break
    print(f"open_ms={(opened - begin) * 1e3:.3f}")
    print(f"first_query_ms={(first - opened) * 1e3:.3f}")
    print(f"reader_anon_mb={(anonymous_memory() - before) / 1e6:.2f}")
    print("\n".join(lines))


def read(path, kind):
    rows = numpy.fromfile(path, "<i4")
    return numpy.ascontiguousarray(rows.reshape(-1, rows[0] + 1)[:, 1:]).view(kind)


def unit(rows):
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


def disk_usage(path):
    total = 0
    for folder, _, files in os.walk(path):
        total += sum(os.stat(os.path.join(folder, name)).st_blocks * 512 for name in files)
    return total


def anonymous_memory():
    with open("/proc/self/smaps_rollup") as file:
        (line,) = (line for line in file if line.startswith("Anonymous:"))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
