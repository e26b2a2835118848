#!/bin/sh
# Measures the release build of vistter next to FFmpeg doing the same work, and writes docs/benchmarks.md.
#   benches/run.sh [--long] [--only 1,3] [--seconds 30] [--dry]
# --long: 30 minutes of show for the growth of memory; --only: these figures; --dry: do not write the document.
set -eu
cd "$(dirname "$0")/.."
cargo build -q --release -p vistter-appliance
cargo build -q --release -p vistter-core --features codecs --example encode_y4m
cargo build -q --release -p vistter-ocl --example blend_bench
exec python3 benches/bench.py "$@"
