#!/usr/bin/env python3
"""Do the documents still describe the tree? Checks links, named paths, the crate list, and the size of source files."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_LINES = 600  # one duty a file: a longer one has two
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:vistter-[a-z]+|src|docs|examples|benches|fuzz|scripts|tests|bindings)/[\w./-]+)`")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)

faults = []


def fault(where, what):
    faults.append(f"{where.relative_to(ROOT)}: {what}")


listed = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
)
files = [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]

members = re.findall(r'"([^"]+)"', re.search(r"^members = \[(.*?)\]", (ROOT / "Cargo.toml").read_text(), re.M | re.S).group(1))

for path in files:
    if path.suffix == ".md":
        text = FENCE.sub("", path.read_text())
        for link in LINK.findall(text):
            target = link.split("#")[0]
            if target and "://" not in target and not target.startswith("mailto:"):
                if not (path.parent / target).exists():
                    fault(path, f"link to {link}, which is not there")
        for name in PATH.findall(text):
            if path.name != "CHANGELOG.md" and not any((ROOT / member / name).exists() for member in members):
                fault(path, f"names {name}, which is not there")
    elif path.suffix == ".rs":
        lines = path.read_text().count("\n")
        if lines > MOST_LINES:
            fault(path, f"{lines} lines, more than {MOST_LINES}")

for name in ("README.md", "docs/architecture.md"):
    path = ROOT / name
    if path.exists():
        text = path.read_text()
        for member in members:
            if member != "." and member not in text:
                fault(path, f"does not mention {member}")

for line in faults:
    print(line, file=sys.stderr)
print(f"{len(files)} files looked at, {len(faults)} faults")
sys.exit(bool(faults))
