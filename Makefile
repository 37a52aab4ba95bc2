# Entry points for people and machines. `make` alone lists them.

# Where `make run` keeps its data; an absolute or relative path.
DATA_DIR ?= data
# What `make load` runs: `all`, or the name of one scenario. More options go into ARGS.
SCENARIO ?= all
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test bench load compare fmt lint postgres prometheus

help: ## List the targets.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18

run: postgres ## Build and start Millrace with its own PostgreSQL on http://127.0.0.1:8080.
	data_dir=$$(scripts/data-dir.sh "$(DATA_DIR)") && exec cargo run --release -- serve --dev --data-dir "$$data_dir" $(ARGS)

test: postgres prometheus ## Run every test, against PostgreSQL clusters that are thrown away.
	cargo test --workspace $(ARGS)

bench: postgres ## Run the micro-benchmarks.
	cargo bench $(ARGS)

load: postgres ## Run the load and fault scenarios (SCENARIO=name for one).
	cargo build --release
	cargo run --release -p millrace-load-tests -- $(SCENARIO) $(ARGS)

compare: postgres ## Compare with plain COPY and with the peers that are installed.
	cargo build --release
	cargo run --release -p millrace-load-tests -- compare $(ARGS)

fmt: ## Format the code.
	cargo fmt --all

lint: ## Check format, lints and documentation, with warnings as errors.
	cargo fmt --all --check
	cargo clippy --all-targets --workspace -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

postgres:
	@scripts/install-postgres.sh

prometheus:
	@scripts/install-prometheus.sh
