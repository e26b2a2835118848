#!/usr/bin/env python3
"""Measures vistter next to FFmpeg and writes docs/benchmarks.md. Start it with benches/run.sh."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys

import figures
from measure import Failed, run, shown
from peers import ROOT

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


class Bench:
    """What the figures share: where things are, what was said, what was run."""

    def __init__(self, options):
        self.seconds, self.long = options.seconds, options.long
        self.work = TARGET / "bench"
        self.cache = TARGET / "bench-cache"
        self.results = TARGET / "bench-results"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.vistter = TARGET / "release/vistter"
        job = self.results / "1.json"
        self.peak = json.loads(job.read_text())["peak"] if job.exists() else {}
        self.notes, self.commands = [], []

    def example(self, name):
        return TARGET / "release/examples" / name

    def fresh(self, name):
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def say(self, command):
        line = shown(command).replace(str(TARGET), "target").replace(str(ROOT) + "/", "")
        print("  $", line, flush=True)
        self.commands.append(line)

    def note(self, text):
        print("  ", text, flush=True)
        self.notes.append(text)

    def run(self, command, limit):
        self.say(command)
        return run(command, limit, self.work / "log")

    def output(self, command):
        self.say(command)
        return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout.strip()


def machine():
    def field(path, name):
        try:
            with open(path) as lines:
                return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "?")
        except OSError:
            return "?"

    version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True).stdout.split()[2]
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
    return f"{os.cpu_count()} cores of {field('/proc/cpuinfo', 'model name')}, {memory:.0f} GB; FFmpeg {version}; {rustc()}"


def rustc():
    return subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()


def save(bench, number, rows, failed, loads):
    """Keeps a figure, so that a later run with --only replaces only its own."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    when = f"{datetime.datetime.now():%Y-%m-%d %H:%M}, {commit}, {bench.seconds} s a run, load average {loads[0]:.1f} to {loads[1]:.1f}"
    kept = {"rows": rows, "notes": bench.notes, "commands": bench.commands, "failed": failed, "when": when, "peak": bench.peak}
    bench.results.mkdir(exist_ok=True)
    (bench.results / f"{number}.json").write_text(json.dumps(kept, indent=1))


def write(bench):
    kept = {file.stem: json.loads(file.read_text()) for file in sorted(bench.results.glob("*.json"))}
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Each figure stands next to FFmpeg doing the same work in the same run, on the same",
        "machine, with the same cameras (`tests/peers/cam_gst.py`) and destinations (nginx). Lower is better; a ratio below",
        "1 means that vistter costs less. CPU is user and system time of all threads, from the kernel's accounts.",
        "",
        f"Machine: {machine()}.",
        "",
        "| what | vistter | FFmpeg | ratio | remark |",
        "|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(row) + " |" for figure in kept.values() for row in figure["rows"]]
    lines += ["", "## When and how", ""]
    for number, figure in kept.items():
        lines += [f"- Figure {number}: {figure['when']}."]
        lines += [f"  - {note}" for note in figure["notes"]]
    failed = [text for figure in kept.values() for text in figure["failed"]]
    if failed:
        lines += ["", "## Not measured", ""] + [f"- {text}" for text in failed]
    weak = ROOT / "benches/weak.md"
    if weak.exists():
        lines += ["", weak.read_text().strip()]
    lines += ["", "## Commands", ""]
    for number, figure in kept.items():
        lines += [f"Figure {number}:", "", "```text", *figure["commands"], "```", ""]
    (ROOT / "docs/benchmarks.md").write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--only", default="1,2,3,4,5,6,7,8,9", help="numbers of figures, or \"ocl\", \"presets\"")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    bench, faulty = Bench(options), False
    for number in (figures.NAMES.get(name) or int(name) for name in options.only.split(",")):
        figure = figures.FIGURES[number]
        print(f"figure {number}: {figure.__doc__}", flush=True)
        bench.notes, bench.commands, rows, failed, before = [], [], [], [], os.getloadavg()[0]
        try:
            rows = figure(bench)
        except (Failed, subprocess.CalledProcessError, StopIteration) as fault:
            failed, faulty = [f"figure {number}: {fault}"], True
            print("  FAILED:", fault, flush=True)
        for row in rows:
            print("  " + " | ".join(row), flush=True)
        if not options.dry:
            save(bench, number, rows, failed, (before, os.getloadavg()[0]))
            write(bench)
    sys.exit(faulty)


main()
