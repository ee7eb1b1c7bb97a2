# Every loop is one command; `make help` lists them.

SWIFT ?= swift
PARAVANE ?= $(CURDIR)/.build/release/paravane
PREFIX ?= /usr/local
DESTDIR ?=
export PARAVANE PREFIX DESTDIR

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help build kernel test fmt check conformance programs attack bad-input connections faults storage lifecycle \
	specification recordings engines trace terminals bench install deb package packages ci

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

build: kernel ## Build the command and the kernel image, for release.
	$(SWIFT) build -c release --product paravane

kernel: ## Build the kernel image only.
	$(SWIFT) build -c release --product KernelImage

test: ## Run the unit tests and the tidy tests.
	scripts/test.sh

fmt: ## Lay out all Swift sources.
	scripts/format.sh

check: ## Check layout and layers, without changing anything.
	scripts/check.sh

conformance: build ## Compare C programs on Linux and in a sandbox.
	scripts/conformance.sh

programs: build ## Compare real programs on Linux and in a sandbox.
	scripts/programs.sh

attack: build ## Attack sandboxes; nothing outside may notice.
	scripts/attack.sh

bad-input: build ## Give the command what it can't work with.
	scripts/bad-input.sh

connections: build ## Hold sandboxes to policies, and read their audit logs.
	scripts/connections.sh

faults: build ## Break what sandboxes stand on: peers, networks, disks, limits, the backend.
	scripts/faults.sh

storage: build ## Share volumes between sandboxes, and kill sandboxes while they write.
	scripts/storage.sh

lifecycle: build ## Make, use and remove containers, and kill the command at every step.
	scripts/lifecycle.sh

specification: build ## Hold the product, runc and crun to the OCI runtime specification.
	scripts/specification.sh

recordings: build ## Make the recorded calls of engines again, and compare with runc.
	scripts/recordings.sh

engines: build ## Run Podman, containerd and Docker on the product.
	scripts/engines.sh

terminals: build ## Sit at the terminal of `do`, as a person would.
	scripts/terminals.sh

trace: build ## Compare --strace with strace(1).
	scripts/trace.sh

bench: build ## Measure against native and write docs/performance.md.
	scripts/bench.sh --write
	scripts/bench.sh containers --write

install: ## Install the release build below PREFIX (/usr/local), in DESTDIR.
	scripts/install.sh

deb: build ## Make the Debian package.
	scripts/deb.sh

package: build ## Make the Debian package, judge it, install it into a root of its own and use it.
	scripts/package.sh

packages: ## Install the Debian packages that the tests need. Needs root.
	scripts/install-packages.sh

ci: packages build test conformance programs attack bad-input trace terminals connections faults storage lifecycle specification recordings engines package ## All that a change must pass.
