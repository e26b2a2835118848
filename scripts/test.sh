#!/bin/bash
# Everything that must hold before a change is taken: `make test`, and `.ci/run` in CI. Stops at the first failure.
# One target directory, one profile and one set of features for all steps, so that little is built twice.
#   FUZZ_SECONDS=120  fuzzing time in all
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0   # a fresh build gains nothing from it and pays in time and disk
# shellcheck source=lib.sh
. scripts/lib.sh

log=$(mktemp); trap 'rm -f "$log"' EXIT

licences() {
  cargo deny -L error --all-features check licenses bans sources || return 1
  # The advisory database comes from GitHub; without a way there the rest still counts, but say so.
  if limit 120 cargo deny --all-features fetch db >/dev/null 2>&1; then
    cargo deny --all-features check --disable-fetch advisories
  else
    warn "the RustSec database cannot be fetched from here: dependencies were NOT checked for known advisories"
  fi
}

tests() { # keeps the output, to count what passed
  limit 3000 cargo test --workspace --all-features --all-targets -q 2>&1 | tee -a "$log"
}

doc_tests() {
  limit 1500 cargo test --workspace --all-features --doc -q 2>&1 | tee -a "$log"
}

docs() { RUSTDOCFLAGS="-D warnings" cargo doc -q --workspace --all-features --no-deps; }

step "format"                       cargo fmt --all --check
step "tree and documents"           scripts/check_tree.py
step "core alone, default features" cargo check -q -p vistter-core
step "lints"                        cargo clippy -q --workspace --all-targets --all-features -- -D warnings
step "licences and banned crates"   licences
step "tests"                        tests
step "pictures of other processors" scripts/machines.sh
step "documentation examples"       doc_tests
step "documentation"                docs
if [ -d fuzz ]; then step "fuzzing"      scripts/fuzz.sh "${FUZZ_SECONDS:-120}"; fi
if [ -x bindings/test.sh ]; then step "bindings" bindings/test.sh; fi
step "demo, end to end"             scripts/test_demo.sh

passed=$(awk '/^test result:/ { n += $4 } END { print n + 0 }' "$log")
failed=$(awk '/^test result:/ { n += $6 } END { print n + 0 }' "$log")
summary
echo "$passed passed, $failed failed"
