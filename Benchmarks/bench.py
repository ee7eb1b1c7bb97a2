#!/usr/bin/python3
"""Compares sandboxes with native runs, round by round, and prints a table of ratios.

Every round measures a row natively and then in each runtime (in the other order every second
time), on the same volume. A ratio is taken within a round; the table shows the median of the
rounds. Of the runtimes runc, crun and runsc those on PATH get a column.
"""

import argparse
import datetime
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from material import ENVIRONMENT, HERE, make_material
from measure import (Failure, fio_per_second, idle_mebibytes, nanoseconds, per_second,
                     start_milliseconds)
from rows import ROWS as LOCAL_ROWS
from runtimes import Native, Paravane, other_runtimes
from services import served
from throughput import ROWS as THROUGHPUT_ROWS

ROWS = (*LOCAL_ROWS, *THROUGHPUT_ROWS)

PAGE = HERE.parent / "docs" / "performance.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def main():
    options = parse()
    rows = [row for row in ROWS if not options.rows or {row.name, row.group} & set(options.rows)]
    with tempfile.TemporaryDirectory(prefix="paravane-bench-", dir=options.parent) as directory:
        volume = pathlib.Path(directory)
        make_material(volume, {row.material or row.name for row in rows})
        with other_runtimes(volume) as others:
            paravane = [Paravane(options.paravane)] if options.paravane else []
            runtimes = [Native(), *paravane, *others]
            results = [measure_row(row, runtimes, volume, options) for row in rows]
        header = list(machine(volume, options))
    names = [runtime.name for runtime in runtimes[1:]]
    table = "\n".join([*header, "", *table_lines(results, names)])
    print(f"\n{table}")
    if options.write:
        write(table)
    if options.check and not all(is_met(row, values.get("paravane")) for row, values in results):
        sys.exit("a limit is not met")


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 short rounds, for a first look")
    parser.add_argument("--rounds", type=int, help="instead of 7")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    parser.add_argument("--check", action="store_true", help="fail if a limit is not met")
    parser.add_argument("--parent", metavar="DIR", help="make the volume there, not in $TMPDIR")
    parser.add_argument("--paravane", metavar="PATH", help="instead of $PARAVANE or the build's")
    groups = list(dict.fromkeys(row.group for row in ROWS))
    names = list(dict.fromkeys(row.name for row in ROWS))
    parser.add_argument("rows", nargs="*", metavar="ROW|GROUP",
                        help=f"groups: {' '.join(groups)}\nrows: {' '.join(names)}")
    options = parser.parse_args()
    unknown = set(options.rows) - {*names, *groups}
    if unknown:
        parser.error(f"no row {', '.join(sorted(unknown))}")
    options.rounds = options.rounds or (3 if options.quick else 7)
    options.batch_us = 1000 if options.quick else 5000
    options.paravane = find_paravane(options.paravane)
    if not options.paravane:
        print("no paravane: set PARAVANE or build it; measuring natively only")
    if options.write and (options.rows or options.quick or not options.paravane):
        parser.error("--write wants every row, all rounds and a build of paravane")
    return options


def find_paravane(given):
    for candidate in (given, os.environ.get("PARAVANE"), HERE.parent / ".build/release/paravane",
                      HERE.parent / ".build/debug/paravane"):
        if candidate and os.access(candidate, os.X_OK):
            return str(pathlib.Path(candidate).resolve())
    return None


def measure_row(row, runtimes, volume, options):
    """Returns the row and, for each runtime, (value, ratio), or why there is none."""
    if row.baseline == "paravane":
        runtimes = beside_itself(row, options)
    samples = {runtime.name: [] for runtime in runtimes}
    failures = {}
    for number in range(rounds_of(row, options)):
        for runtime in runtimes[::-1 if number % 2 else 1]:
            if runtime.name in failures:
                continue
            try:
                samples[runtime.name].append(measure(row, runtime, volume, options.batch_us))
            except Failure as failure:
                failures[runtime.name] = str(failure)
    values = {name: summary(row, samples["native"], taken) for name, taken in samples.items()
              if name not in failures and "native" not in failures}
    shown_values = (describe(row, name, values, failures) for name in samples)
    print(row.title.ljust(52), *shown_values, flush=True)
    return row, values | failures


def rounds_of(row, options):
    return max(2, round(options.rounds * row.rounds))


def beside_itself(row, options):
    """Paravane without the row's options, in the place of the native run, and with them."""
    if not options.paravane:
        return [Native()]
    plain = Paravane(options.paravane)
    plain.name = "native"
    return [plain, Paravane(options.paravane, row.options)]


def measure(row, runtime, volume, batch_us):
    if row.name == "start":
        return start_milliseconds(runtime, volume)
    if row.name == "pss":
        return idle_mebibytes(runtime, volume)
    if row.kind == "served":
        return served(row, runtime, volume)
    if row.kind == "fio":
        return fio_per_second(row, runtime, volume)
    if row.count:
        return per_second(row, runtime, volume, batch_us)
    return nanoseconds(row, runtime, volume, batch_us)


def summary(row, native, taken):
    if row.kind == "host":
        return statistics.median(taken), statistics.median(taken) - statistics.median(native)
    return statistics.median(taken), statistics.median(t / n for t, n in zip(taken, native))


def describe(row, name, values, failures):
    if name not in values:
        return f"{name}: {failures.get(name, 'nothing to compare with')};"
    value, compared = values[name]
    return f"{name} {shown(row, value)}" + ("" if name == "native" else f" ({compared:.2f})")


def shown(row, value):
    if row.kind == "host":
        return f"{value:.1f}"
    if row.least is not None:
        return rate(value, row.unit)
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} ns"


def rate(value, unit):
    for prefix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def is_met(row, result):
    if row.limit is None and row.least is None:
        return True
    if not isinstance(result, tuple):
        return False
    ratio = round(result[1], 2)
    return ratio <= row.limit if row.least is None else ratio >= row.least


def aim(row):
    if row.least is not None:
        return f"≥ {row.least:g}"
    return "" if row.limit is None else f"≤ {row.limit:g}"


def table_lines(results, names):
    compared = [names[0], "ratio"] if names else []
    columns = ["work", "native", *compared, "aim", "met", *names[1:]]
    yield f"| {' | '.join(columns)} |"
    yield f"| --- |{' ---: |' * (len(columns) - 1)}"
    for row, values in results:
        cells = [row.title, cell(row, values["native"], 0)]
        for name in (name for name in names[:1] if name in values):
            cells += [cell(row, values[name], 0), cell(row, values[name], 1)]
        cells += [aim(row), verdict(row, values)]
        cells += [cell(row, values[name], 1) if name in values else "" for name in names[1:]]
        yield f"| {' | '.join(cells)} |"


def verdict(row, values):
    if not aim(row) or "paravane" not in values:
        return ""
    return "yes" if is_met(row, values["paravane"]) else "**no**"


def cell(row, result, index):
    if not isinstance(result, tuple):
        return f"fails: {result}".replace("|", "/")[:60]
    return shown(row, result[0]) if index == 0 else f"{result[1]:.2f}"


def machine(volume, options):
    processor = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo")
                      if line.startswith("model name")), "unknown processor")
    file_system = output(["findmnt", "-no", "FSTYPE", "-T", str(volume)])
    commit = output(["git", "-C", str(HERE), "describe", "--always", "--dirty"]) or "unknown"
    least = min(rounds_of(row, options) for row in ROWS)
    yield (f"- {datetime.date.today()}, commit {commit}, medians of {options.rounds} rounds, "
           f"of what takes long of {least} or more")
    yield f"- {processor}, {os.cpu_count()} CPUs, Linux {os.uname().release}"
    yield f"- volume on {file_system}, load average at the end {os.getloadavg()[0]:.1f}"
    yield "- the other runtimes use the same root under an overlay and no seccomp profile"


def output(words):
    if not shutil.which(words[0]):
        return ""
    result = subprocess.run(words, env=ENVIRONMENT, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    return result.stdout.strip()


def write(table):
    text = PAGE.read_text() if PAGE.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"cannot write the table: {PAGE.name} has no lines {BEGIN} and {END}")
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


if __name__ == "__main__":
    main()
