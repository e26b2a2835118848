#!/usr/bin/env python3
"""Measures vistter next to FFmpeg and writes docs/benchmarks.md. Start it with benches/run.sh."""

import argparse
import datetime
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
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.vistter = TARGET / "release/vistter"
        self.peak, self.notes, self.commands = {}, [], []

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


def write(bench, rows, failed, loads):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Each figure stands next to FFmpeg doing the same work in the same run, on the same",
        "machine, with the same cameras (`tests/peers/cam_gst.py`) and destinations (nginx). Lower is better; a ratio below",
        "1 means that vistter costs less. CPU is user and system time of all threads, from the kernel's accounts.",
        "",
        f"- {datetime.date.today().isoformat()}, commit {commit}",
        f"- {machine()}",
        f"- load average of the machine before and after: {loads[0]:.1f}, {loads[1]:.1f}",
        "",
        "| what | vistter | FFmpeg | ratio | remark |",
        "|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    lines += ["", "## Notes", ""]
    lines += [f"- {note}" for note in bench.notes]
    if failed:
        lines += ["", "## Not measured", ""] + [f"- {text}" for text in failed]
    weak = ROOT / "benches/weak.md"
    if weak.exists():
        lines += ["", weak.read_text().strip()]
    lines += ["", "## Commands", "", "```"] + bench.commands + ["```", ""]
    (ROOT / "docs/benchmarks.md").write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--only", default="1,2,3,4,5,6")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    bench, rows, failed = Bench(options), [], []
    before = os.getloadavg()[0]
    for number in map(int, options.only.split(",")):
        figure = figures.FIGURES[number]
        print(f"figure {number}: {figure.__doc__ or 'the job'}", flush=True)
        try:
            rows += figure(bench)
        except (Failed, subprocess.CalledProcessError, StopIteration) as fault:
            failed.append(f"figure {number}: {fault}")
            print("  FAILED:", fault, flush=True)
    for row in rows:
        print(" | ".join(row))
    if not options.dry:
        write(bench, rows, failed, (before, os.getloadavg()[0]))
    sys.exit(bool(failed))


main()
