#!/bin/bash
# "The same bits on every machine": draws all golden pictures as other processors would, under QEMU's user emulation.
#   x86-64 without SSE4, with SSE4.2 and with AVX2: every version of the blending loops, on the binary of `make test`
#   MACHINES_ALL=1   ARM64 (Raspberry Pi, NEON), too: a build of its own, some ten minutes (`make machines`)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=lib.sh
. scripts/lib.sh

if [ "$(uname -sm)" != "Linux x86_64" ]; then
  warn "not Linux on x86-64: golden pictures were drawn by this processor only"
  exit 0
fi

build() { # arguments of cargo; prints the path of the test binary
  cargo test -q --all-features --no-run --message-format=json "$@" | python3 -c '
import json, sys
made = [json.loads(line) for line in sys.stdin if line.startswith("{")]
here = [m["executable"] for m in made if m.get("executable") and m["target"]["src_path"].endswith("vistter-ocl/tests/it/main.rs")]
print(here[-1])'
}

draw() { # name, emulator and its arguments..., binary
  local name=$1 log
  shift
  log=$(mktemp)
  # Tests look for their folder and for a place to write.
  if (cd vistter-ocl && limit 1500 "$@" golden) >"$log" 2>&1 && grep -q "1 passed" "$log"; then
    echo "$name: the same pictures"
  else
    cat "$log" >&2
    echo "$name: other pictures" >&2
    return 1
  fi
}

# as the step "tests" builds it, so that nothing is built twice
binary=$(build --workspace --all-targets)
target=aarch64-unknown-linux-gnu
arm=""
if [ -n "${MACHINES_ALL:-}" ]; then
  rustup -q target add "$target" || { echo "rustup cannot bring the standard library for ARM64" >&2; exit 1; }
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  arm=$(build -p vistter-ocl --test it --target "$target")
fi

jobs=()
draw "x86-64 (qemu64: SSE2)" qemu-x86_64 -cpu qemu64 "$binary" & jobs+=($!)
draw "x86-64 (Westmere: SSE4.2)" qemu-x86_64 -cpu Westmere "$binary" & jobs+=($!)
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
jobs=()
draw "x86-64 (Haswell: AVX2)" qemu-x86_64 -cpu Haswell "$binary" & jobs+=($!)
if [ -n "$arm" ]; then
  draw "ARM64 (Cortex-A72: NEON)" qemu-aarch64 -cpu cortex-a72 -L /usr/aarch64-linux-gnu "$arm" & jobs+=($!)
fi
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
