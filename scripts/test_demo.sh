#!/bin/bash
# Runs `vistter demo` for fourteen seconds and has FFmpeg look at what it recorded: a program that reached the disk whole.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. scripts/lib.sh
cargo build -q -p vistter-appliance --all-features
vistter=$(realpath "${CARGO_TARGET_DIR:-target}/debug/vistter")
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
limit 120 "$vistter" demo --for 14s --out "$dir" --json > "$dir/said.json"
scripts/check_demo.py "$dir/said.json"
left_out=$(python3 -c 'import json, sys
said = [json.loads(line) for line in sys.stdin]
print(next(s for s in said if s["type"] == "summary")["program"]["counters"]["skipped"])' < "$dir/said.json")
found=$(find "$dir" -name '*.mp4' | head -1)
[ -n "$found" ] || { echo "the demo left no recording below $dir"; find "$dir"; exit 1; }
complaints=$(ffmpeg -nostdin -v error -xerror -i "$found" -f null - 2>&1) || { echo "$complaints"; exit 1; }
[ -z "$complaints" ] || { echo "$complaints"; exit 1; }
scripts/check_recording.py "$found" --seconds 14 --left-out "$left_out"
