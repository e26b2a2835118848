#!/bin/bash
# Builds the library and writes its source for another language, with the library beside it.
#   bindings/generate.sh python|swift DIR
set -euo pipefail
[ $# = 2 ] || { sed -n '2,3s/^# //p' "$0"; exit 2; }
mkdir -p "$2"
language=$1 out=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

# The whole workspace's features, as the tests build it: one set of features, so nothing is built twice.
cargo build -q --workspace --all-features --lib
cargo build -q --manifest-path bindings/uniffi-bindgen/Cargo.toml --target-dir "$target/bindgen"

case $(uname -s) in Darwin) library=libvistter_bindings.dylib ;; *) library=libvistter_bindings.so ;; esac
"$target/bindgen/debug/vistter-uniffi-bindgen" generate "$target/debug/$library" \
  --language "$language" --no-format --out-dir "$out"
cp "$target/debug/$library" "$out/"
