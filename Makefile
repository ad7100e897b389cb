# What people type here; `make` alone lists it. Everything runs from a fresh
# clone: servers that are missing are installed (as root, on Debian) or named.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Static binaries, the same on every machine.
export CGO_ENABLED := 0

BIN := bin/chargehand
LINTER := bin/golangci-lint

# How long each fuzz target runs.
FUZZTIME ?= 30s

# Further flags of demo, dev and bench: make demo ARGS='--records 1000000'.
ARGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build servers ## show the whole product on private servers, with a generated feed
	$(BIN) demo $(ARGS)

.PHONY: dev
dev: build servers ## run API, worker, scheduler and dashboard on private servers that are kept
	$(BIN) dev $(ARGS)

.PHONY: build
build: ## build bin/chargehand, with the time zones in it
	go build -trimpath -tags timetzdata -o $(BIN) ./cmd/chargehand

.PHONY: test
test: servers ## vet, and test against a real PostgreSQL and Redis
	go vet ./...
	go test -timeout 30m ./...

.PHONY: lint
lint: $(LINTER) ## check the formatting and what .golangci.yml says
	@unformatted=$$(gofmt -l .); if [[ -n $$unformatted ]]; then echo "not formatted, run gofmt -w on:" $$unformatted >&2; exit 1; fi
	$(LINTER) run ./...

.PHONY: bench
bench: build servers ## measure throughput and latency beside raw COPY and a no-op queue
	$(BIN) bench $(ARGS)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: servers
servers:
	@scripts/install-servers.sh

# About a minute, once per version: its module is apart from the product's.
$(LINTER): tools/golangci-lint/go.mod tools/golangci-lint/go.sum
	cd tools/golangci-lint && go build -trimpath -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
