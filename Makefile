# What the gate runs is in .ci/run; here are names for it, and what only people run.

COUNT    ?= 6
PKG      ?= ./...
BENCH    ?= .
FUZZTIME ?= 30s

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: ci
ci: ## Run the whole gate, as it must pass before a merge.
	.ci/run

.PHONY: test
test: ## Run all tests.
	go test ./...

.PHONY: race
race: ## Run all tests with the race detector, in random order.
	.ci/run test

.PHONY: lint
lint: ## Check format and modules, vet, and run the linters.
	.ci/run format modules vet lint

.PHONY: bench
bench: ## Run the benchmarks (PKG=./... BENCH=. COUNT=6).
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PKG)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME=30s.
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

.PHONY: chaos
chaos: ## Simulate a job of a million tasks; kill a driver a hundred times at random, and resume it each time.
	GOWREN_CHAOS=100 go test -count 1 -timeout 30m -run '^TestSimulationFull$$' -v ./internal/sched
	GOWREN_CHAOS=100 go test -count 1 -timeout 30m -run '^TestChaos$$' -v ./mapper

.PHONY: size
size: ## Print the stripped size of a small program, and hold it to its limit.
	go test -count 1 -run '^TestProgramSize$$' -v ./internal/lint

.PHONY: cover
cover: ## Measure test coverage, into coverage.out.
	go test -coverprofile coverage.out ./...
	go tool cover -func coverage.out | tail -n 1
