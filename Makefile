# Commands, no logic. `make help` lists them.

CARGO ?= cargo
# Runs of `make flake` and `make chaos-embedded`, and which tests `make flake` runs.
N ?= 20
TESTS ?= --workspace
ROUNDS ?= 50
# Scenes that each camera takes for `make forensics-report`, a folder of unedited photos, none if empty, and words that the
# names of cells must hold, as 'watermarked, PNG'; all if empty.
SEEDS ?= 2
PHOTOS ?=
ONLY ?=
# How long `make fuzz` feeds each parser, and which of them; all if empty.
SECONDS ?= 30
PARSERS ?=
# What `make chaos` breaks (embedded, redis, full), and which rows of it; all if empty. What `make up` starts (redis, full).
MODE ?= embedded
ROWS ?=
# Programs that chaos breaks are built with the profile `chaos`: quicker to build than released ones, a little slower.
CHAOS_BUILD := $(CARGO) build --locked --profile chaos --quiet
# Programs with failpoints have names of their own, so that no released one is overwritten by one that has them.
FAULTY_PROGRAMS := -p assay-bench --bin chaos -p assay-faulty --bin faulty-gateway --bin faulty-scheduler --bin faulty-worker --features assay-faulty/failpoints
# Sizes of `make bench-peers`: jobs of a run, runs of each contender, jobs in the long queue.
JOBS ?= 30000
RUNS ?= 5
QUEUED ?= 1000000
PEERS_CRATES := bench probe gateway scheduler verification-worker
PEERS_PROGRAMS := bench-peers bench-producer bench-ceiling bench-bare gateway scheduler probe-worker verification-worker
# What `make bench-edge` runs.
EDGE_CRATES := bench probe gateway scheduler
EDGE_PROGRAMS := bench-edge probe-worker gateway scheduler

.DEFAULT_GOAL := help
.PHONY: help demo test up down lint fmt doc bench bench-embedded bench-edge bench-photos bench-peers chaos chaos-embedded chaos-redis chaos-full chaos-selftest flake fuzz openapi-check forensics-report ci

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Make real files, verify them as jobs, show the verdicts.
	$(CARGO) build --locked --quiet -p assay-cli -p assay-demo
	target/debug/demo

test: ## Run every test, with a private Redis and RabbitMQ beside them.
	$(CARGO) build --locked --workspace --bins --quiet
	target/debug/with-servers -- $(CARGO) test --locked --workspace --quiet

up: ## Start the services in the background, in MODE redis or full; REDIS_HOST and RABBITMQ_URL name servers of yours.
	$(CARGO) build --locked --quiet -p assay-gateway -p assay-scheduler -p assay-verification-worker -p assay-cli -p assay-test-support --bins
	target/debug/local up .assay/local $(filter redis full,$(MODE))

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

bench: bench-embedded bench-edge ## Measure the embedded mode and the edge of redis mode, one after the other.

bench-embedded: ## Measure speed, latency and memory of the embedded mode (release build).
	$(CARGO) build --locked --release --quiet -p assay-bench -p assay-probe -p assay-cli
	target/release/bench

bench-edge: ## Measure submits over HTTP beside gRPC, and 10 000 watchers, over a private Redis (release build).
	$(CARGO) build --locked --release --quiet $(EDGE_CRATES:%=-p assay-%) $(EDGE_PROGRAMS:%=--bin %)
	target/release/bench-edge

bench-photos: ## Measure what photographs cost a real worker, and what a second core adds (release build).
	$(CARGO) build --locked --release --quiet -p assay-bench -p assay-cli --bin bench-photos --bin assay
	target/release/bench-photos

bench-peers: ## Measure MODE (redis, full) beside its peers on the same servers; installs those below target/.
	$(CARGO) build --locked --release --quiet $(PEERS_CRATES:%=-p assay-%) $(PEERS_PROGRAMS:%=--bin %)
	target/release/bench-peers --mode $(MODE) --jobs $(JOBS) --runs $(RUNS) --queued $(QUEUED)

chaos: ## Break what runs in MODE under load (embedded, redis, full) and hold it to its promises.
	@$(MAKE) --no-print-directory chaos-$(MODE)

chaos-embedded: ## Kill the server at random moments under load, ROUNDS times.
	$(CHAOS_BUILD) -p assay-bench --bin chaos -p assay-probe --bin probe-dev
	target/chaos/chaos embedded --rounds $(ROUNDS)

chaos-redis: ## Break processes, Redis and the network between them; ROWS names rows, all by default.
	$(CHAOS_BUILD) $(FAULTY_PROGRAMS)
	target/chaos/chaos redis $(ROWS)

chaos-full: ## The same with RabbitMQ, and break that and its queues too.
	$(CHAOS_BUILD) $(FAULTY_PROGRAMS)
	target/chaos/chaos full $(ROWS)

chaos-selftest: ## Plant bugs; passes only if chaos reports each of them, over Redis and in full mode.
	$(CHAOS_BUILD) $(FAULTY_PROGRAMS)
	target/chaos/chaos selftest

flake: ## Run every test N times; TESTS='-p e2e' those of one package.
	$(CARGO) build --locked --workspace --bins --quiet
	for run in $$(seq $(N)); do echo "run $$run"; target/debug/with-servers -- $(CARGO) test --locked $(TESTS) --quiet || exit 1; done

fuzz: ## Feed damaged files to each parser of media for SECONDS; PARSERS names some of them.
	$(CARGO) run --locked --quiet --manifest-path crates/forensics/fuzz/Cargo.toml --target-dir target/fuzz --example run -- --seconds $(SECONDS) $(PARSERS)

openapi-check: ## Hold a server to its description of HTTP/JSON, for three minutes; installs schemathesis below target/.
	$(CARGO) build --locked --quiet -p assay-cli
	python3 tests/clients/openapi_check.py target/debug/assay target/schemathesis

forensics-report: ## Show what the analyses find, miss and wrongly find; SEEDS, PHOTOS and ONLY say over what.
	$(CARGO) build --locked --release --quiet -p assay-corpus
	target/release/forensics-report --seeds $(SEEDS) $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(ONLY),--only "$(ONLY)")

ci: ## Run what the machine that guards main runs.
	bash .ci/run
