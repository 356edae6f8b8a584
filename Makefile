# Commands, no logic. `make help` lists them.

CARGO ?= cargo
# Runs of `make flake` and `make chaos-embedded`.
N ?= 20
ROUNDS ?= 50
# What `make chaos` breaks (embedded, redis), and which rows of it; all if empty.
MODE ?= embedded
ROWS ?=
# Programs with failpoints have names of their own, so that no released one is overwritten by one that has them.
FAULTY_PROGRAMS := -p assay-bench --bin chaos -p assay-faulty --bin faulty-gateway --bin faulty-scheduler --bin faulty-worker --features assay-faulty/failpoints
# Sizes of `make bench-peers`: jobs of a run, runs of each contender, jobs in the long queue.
JOBS ?= 30000
RUNS ?= 5
QUEUED ?= 1000000
PEERS_CRATES := bench probe gateway scheduler verification-worker
PEERS_PROGRAMS := bench-peers bench-producer bench-ceiling gateway scheduler probe-worker verification-worker

.DEFAULT_GOAL := help
.PHONY: help demo test up down lint fmt doc bench bench-peers chaos chaos-embedded chaos-redis chaos-selftest flake ci

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Make real files, verify them as jobs, show the verdicts.
	$(CARGO) build --locked --quiet -p assay-cli -p assay-demo
	target/debug/demo

test: ## Run every test, with a private Redis and RabbitMQ beside them.
	$(CARGO) build --locked --workspace --bins --quiet
	target/debug/with-servers -- $(CARGO) test --locked --workspace --quiet

up: ## Start the services of redis mode in the background; REDIS_HOST names a Redis you have.
	$(CARGO) build --locked --quiet -p assay-gateway -p assay-scheduler -p assay-verification-worker -p assay-cli -p assay-test-support --bins
	target/debug/local up .assay/local

down: ## Stop exactly what `make up` started.
	$(CARGO) build --locked --quiet -p assay-test-support --bins
	target/debug/local down .assay/local

lint: ## Check format, lints, documentation, licences and advisories.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked -p assay-faulty --features assay-faulty/failpoints -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items --quiet
	@$(CARGO) deny --version >/dev/null 2>&1 || { echo "install cargo-deny first: cargo install --locked cargo-deny"; exit 1; }
	$(CARGO) deny check

fmt: ## Format the code.
	$(CARGO) fmt --all

doc: ## Build the documentation of every crate.
	$(CARGO) doc --locked --workspace --no-deps --document-private-items

bench: ## Measure speed, latency and memory of the embedded mode (release build).
	$(CARGO) build --locked --release --quiet -p assay-bench -p assay-probe -p assay-cli
	target/release/bench

bench-peers: ## Measure MODE (redis) beside BullMQ on one Redis; installs the peers below target/.
	$(CARGO) build --locked --release --quiet $(PEERS_CRATES:%=-p assay-%) $(PEERS_PROGRAMS:%=--bin %)
	target/release/bench-peers --mode $(MODE) --jobs $(JOBS) --runs $(RUNS) --queued $(QUEUED)

chaos: ## Break what runs in MODE under load (embedded, redis) and hold it to its promises.
	@$(MAKE) --no-print-directory chaos-$(MODE)

chaos-embedded: ## Kill the server at random moments under load, ROUNDS times.
	$(CARGO) build --locked --release --quiet -p assay-bench --bin chaos -p assay-probe --bin probe-dev
	target/release/chaos embedded --rounds $(ROUNDS)

chaos-redis: ## Break processes, Redis and the network between them; ROWS names rows, all by default.
	$(CARGO) build --locked --release --quiet $(FAULTY_PROGRAMS)
	target/release/chaos redis $(ROWS)

chaos-selftest: ## Plant bugs; passes only if chaos reports each of them.
	$(CARGO) build --locked --release --quiet $(FAULTY_PROGRAMS)
	target/release/chaos selftest

flake: ## Run every test N times.
	$(CARGO) build --locked --workspace --bins --quiet
	for run in $$(seq $(N)); do echo "run $$run"; target/debug/with-servers -- $(CARGO) test --locked --workspace --quiet || exit 1; done

ci: ## What the machine that guards main runs.
	bash .ci/run
