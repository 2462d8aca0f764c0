# Everything a newcomer needs, by name. Only Node.js 20 or newer with npm is assumed; the checkout brings its own newer Node.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The Node of the checkout comes first, but npm itself must not run on a Node that it is about to replace.
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

AREAS := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard test/*/*.test.ts)))) bench cli contract crds operator proxy)
JEST := NODE_OPTIONS="--experimental-vm-modules --disable-warning=ExperimentalWarning" node_modules/.bin/jest

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {sub("%", "AREA", $$1); printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  AREA is one of: $(AREAS)"

.PHONY: run
run: node_modules/.package-lock.json ## two simulated providers and a route over them, without a cluster, until Ctrl-C
	@exec node test/lab/demo.ts $(if $(LISTEN),--listen $(LISTEN)) $(if $(ADMIN),--admin $(ADMIN))

.PHONY: test
test: node_modules/.package-lock.json control-plane ## every test, units and areas; ends with "N passed, N failed"
	@$(JEST)

.PHONY: test-%
test-%: node_modules/.package-lock.json ## the tests of one area: those in test/AREA and those beside its files
	@case " $(AREAS) " in *" $* "*) ;; *) echo "make: there is no area $*: take one of $(AREAS)" >&2; exit 2 ;; esac
	@if grep -rqs --include='*.ts' control-plane.ts test/$*; then $(MAKE) --no-print-directory control-plane; fi
	@$(JEST) '^$(CURDIR)/(test/)?$*/'

.PHONY: verify
verify: check ## that generated files are those that the sources make, and check
	@node crds/generate.ts --check

.PHONY: check
check: node_modules/.package-lock.json ## types, lint and format
	@tsc --noEmit
	@biome check .

.PHONY: bench
bench: node_modules/.package-lock.json ## what a request costs, beside a bare relay and an express relay
	@exec node bench/main.ts $(BENCH)

.PHONY: clean
clean: ## remove what make has put into the checkout
	rm -rf node_modules coverage bench/.cache

# The real etcd and kube-apiserver: from KUBEBUILDER_ASSETS, else a cache outside the checkout, else built with Go (some minutes, once).
.PHONY: control-plane
control-plane: node_modules/.package-lock.json
	@node test/control-plane/build.ts >/dev/null

node_modules/.package-lock.json: package-lock.json
	@command -v npm >/dev/null || { echo "make: npm is missing: install Node.js 20 or newer from https://nodejs.org" >&2; exit 1; }
	@major=$$(PATH="$(SYSTEM_PATH)" node --version | sed 's/^v\([0-9]*\).*/\1/'); \
	if [ "$$major" -lt 20 ]; then \
	  echo "make: Node.js 20 or newer is needed, and this is $$(PATH="$(SYSTEM_PATH)" node --version): see https://nodejs.org" >&2; exit 1; \
	fi
	PATH="$(SYSTEM_PATH)" npm ci --no-audit --no-fund --loglevel=error
	@touch $@
