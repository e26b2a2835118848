#!/bin/bash
# The bindings, used as a stranger would use them: Python in a folder of its own, a show whose camera is
# dead, a recording that FFmpeg judges. Swift is generated and looked at, not compiled: that needs a Swift toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

bindings/generate.sh python "$out/python"
PYTHONPATH="$out/python" PYTHONDONTWRITEBYTECODE=1 python3 -W error -m unittest -v bindings/python/test_vistter.py

bindings/generate.sh swift "$out/swift"
for name in 'open class Program' 'public struct Diagnostic' 'func checkShow' 'func version'; do
  grep -q "$name" "$out/swift/vistter.swift" || { echo "the Swift source lacks: $name" >&2; exit 1; }
done
echo "bindings: Python ran, Swift was generated"
