# The commands of this project. `make demo` and `make test` set up what they need.

.PHONY: help setup demo test machines bench fuzz fmt doc

help:
	@echo "make demo [FOR=20s]  build and run a whole show on this machine: cameras, overlays, destinations, recording"
	@echo "make test            everything that CI checks"
	@echo "make machines        draw the golden pictures as other processors would, ARM64 too"
	@echo "make bench [LONG=1]  measure against FFmpeg, write docs/benchmarks.md (LONG: 30 minutes of show for memory)"
	@echo "make fuzz [FOR=600]  fuzz every parser, so many seconds in all"
	@echo "make fmt | doc       format | build the API documentation"
	@echo "make setup           install system packages and tools for all of these"

setup:
	@scripts/setup.sh

demo:
	@scripts/setup.sh --demo
	cargo build --release -p vistter-appliance
	@$${CARGO_TARGET_DIR:-target}/release/vistter demo $(if $(FOR),--for $(FOR))

test: setup
	@scripts/test.sh

machines:
	@MACHINES_ALL=1 scripts/setup.sh
	@MACHINES_ALL=1 scripts/machines.sh

bench: setup
	@benches/run.sh $(if $(LONG),--long)

fuzz: setup
	@FUZZ_ALL=1 scripts/fuzz.sh $(or $(FOR),600)

fmt:
	cargo fmt --all

doc:
	cargo doc --workspace --all-features --no-deps
