#!/bin/bash
# Fuzzes every target of fuzz/ for an equal share of the given seconds (all together; default 60).
#   scripts/fuzz.sh [SECONDS] [TARGET...]
#   FUZZ_ALL=1   also the targets whose build takes longer (features of fuzz/Cargo.toml)
# Works on a stable compiler: coverage comes from LLVM's own pass, which cargo-fuzz would switch on by the same flags.
# No address sanitizer (that needs a nightly one); the parsers are safe Rust, what is hunted are panics and endless loops.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}; shift || true
[ -d fuzz ] || { echo "there is no fuzz/"; exit 1; }

features=(); [ -z "${FUZZ_ALL:-}" ] || features=(--all-features)
host=$(rustc -vV | sed -n 's/^host: //p')
# --target keeps the flags away from build scripts and macros.
RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Coverflow-checks -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares" \
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  cargo build -q --release --manifest-path fuzz/Cargo.toml ${features[@]+"${features[@]}"} --target "$host" --target-dir "${CARGO_TARGET_DIR:-target}/fuzz"
built="${CARGO_TARGET_DIR:-target}/fuzz/$host/release"

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  # shellcheck disable=SC2016  # that is Python
  names='import json, os, sys
for p in json.load(sys.stdin)["packages"]:
    for t in p["targets"]:
        if "bin" in t["kind"] and (os.environ.get("FUZZ_ALL") or not t.get("required-features")):
            print(t["name"])'
  # shellcheck disable=SC2207  # names of targets have no spaces
  targets=($(cargo metadata -q --no-deps --format-version 1 --manifest-path fuzz/Cargo.toml | python3 -c "$names"))
fi
share=$((seconds / ${#targets[@]})); [ $share -ge 1 ] || share=1

for target in "${targets[@]}"; do
  corpus=fuzz/corpus/$target; findings=fuzz/artifacts/$target
  mkdir -p "$corpus" "$findings"
  seeds=(); [ -d "fuzz/seeds/$target" ] && seeds=("fuzz/seeds/$target")
  said=$("$built/$target" -max_total_time="$share" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$findings/" \
    "$corpus" ${seeds[@]+"${seeds[@]}"} 2>&1) || { echo "$said" | tail -40; echo "$target: FAILED, input under $findings"; exit 1; }
  echo "$target: $(echo "$said" | grep -o 'Done .*' | tail -1)"
done
