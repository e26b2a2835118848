#!/bin/sh
# Measures the release build of vistter next to FFmpeg doing the same work, and writes docs/benchmarks.md.
#   benches/run.sh [--long] [--only 1,3 | --only ocl] [--seconds 30] [--dry]
# --long: 30 minutes of show for the growth of memory; --only: these figures; --dry: do not write the document.
set -eu
cd "$(dirname "$0")/.."
# One command, so that the crates are built once, with the same features.
cargo build -q --release -p vistter-appliance -p vistter-core -p vistter-ocl -p vistter-ptz -p vistter --features vistter-core/codecs,vistter/sim \
  --bin vistter --example encode_y4m --example blend_bench --example ocl_cost --example timeline_cost --example health_cost --example goto_overhead --example simulated_camera --example preset_cuts
exec python3 benches/bench.py "$@"
