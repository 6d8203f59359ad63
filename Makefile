# The front door: `make run` on a machine that has gcc, make and cmake. It fetches what is missing
# (packages.txt), and leaves the rest to CMake (CMakePresets.json).
#
# A preset NAME builds in build/NAME. Variables: JOBS=N, CTEST_ARGS="-L wire -V", FUZZ_SECONDS=N,
# BENCH_ARGS="DIR --log access.log".
SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL: # packages first; the parallelism is CMake's and ctest's

JOBS ?= $(shell nproc)
CTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 10
URL = http://127.0.0.1:8080/

# The second column of packages.txt for the groups $(1), those that are not installed; then apt-get.
# policy-rc.d (invoke-rc.d(8)) keeps the daemons among them from being started.
define install_packages
@if ! command -v dpkg-query >/dev/null; then \
    echo "make: not a Debian system; packages.txt names what is needed, install its like by hand"; \
    exit 0; \
fi; \
missing=(); \
for package in $$(awk -v groups=' $(1) ' '/^[a-z]/ && index(groups, " " $$1 " ") {print $$2}' packages.txt); do \
    status=$$(dpkg-query -W -f='$${db:Status-Status}\n' "$$package" 2>/dev/null || true); \
    [[ $$status == installed* ]] || missing+=("$$package"); \
done; \
if ((! $${#missing[@]})); then exit 0; fi; \
if ((EUID != 0)); then \
    echo "make: these packages are missing, and installing them needs root. Please run:"; \
    echo "    sudo apt-get install -y --no-install-recommends $${missing[*]}"; \
    exit 1; \
fi >&2; \
echo "make: installing $${missing[*]}"; \
export DEBIAN_FRONTEND=noninteractive; \
policy=/usr/sbin/policy-rc.d; \
if [[ ! -e $$policy ]]; then \
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT; \
    printf '#!/bin/sh\nexit 101\n' >$$policy; \
    chmod 755 $$policy; \
fi; \
apt-get update -qq; \
apt-get install -y -qq --no-install-recommends "$${missing[@]}"
endef

.PHONY: help
help: ## show this
	@echo "gearshift: make run, then browse $(URL)"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: build ## build, then serve www/ by server.conf on http://127.0.0.1:8080/
	@exec build/release/gearshift -c server.conf

.PHONY: build
build: CMAKE_ARGS = -DBUILD_TESTING=OFF
build: packages-build preset-release ## build/release/gearshift

.PHONY: test
test: CMAKE_ARGS = -DBUILD_TESTING=ON
test: packages-test preset-release ## build, then run every test (CTEST_ARGS="-L unit")
	@ctest --preset release -j $(JOBS) $(CTEST_ARGS)

.PHONY: debug
debug: packages-test preset-debug ## every test under AddressSanitizer and UBSan
	@ctest --preset debug -j $(JOBS) $(CTEST_ARGS)

.PHONY: tsan
tsan: packages-test preset-tsan ## every test under ThreadSanitizer
	@ctest --preset tsan -j $(JOBS) $(CTEST_ARGS)

.PHONY: fuzz
fuzz: CMAKE_ARGS = -DGS_FUZZ_SECONDS=$(FUZZ_SECONDS)
fuzz: packages-check preset-fuzz ## each fuzz target for FUZZ_SECONDS (10)
	@ctest --preset fuzz -j $(JOBS) $(CTEST_ARGS)

.PHONY: coverage
coverage: packages-check preset-coverage ## every test, then build/coverage/index.html
	@ctest --preset coverage -j $(JOBS) $(CTEST_ARGS)
	@gcovr --root . --object-directory build/coverage --exclude tests --print-summary \
	    --html-details build/coverage/index.html

.PHONY: tidy
tidy: packages-check preset-clang ## clang-tidy over the sources
	@git ls-files '*.c' | grep -v '^tests/' | xargs -P $(JOBS) -n 4 clang-tidy -quiet -p build/clang

.PHONY: bench
bench: packages-bench build ## compare the engines on www/ for a minute (BENCH_ARGS="DIR --peers nginx")
	@bench/compare $(or $(BENCH_ARGS),www --quick)

.PHONY: install
install: build ## install below CMAKE_INSTALL_PREFIX (/usr/local), with the manual and the site
	@cmake --install build/release

.PHONY: clean
clean: ## remove build/
	@rm -rf build

# --- what the targets above are made of ---

.PHONY: packages-build packages-test packages-check packages-bench
packages-build:
	$(call install_packages,build)
packages-test:
	$(call install_packages,build test)
packages-check:
	$(call install_packages,build test check)
	@if command -v apt-get >/dev/null; then \
	    for package in $$(awk '$$1 == "unpack" {print $$2}' packages.txt); do \
	        tests/vm/unpack_kernel "$$package" build/vm; \
	    done; \
	fi
packages-bench:
	$(call install_packages,build bench)

preset-%: FORCE
	@cmake --preset $* $(CMAKE_ARGS)
	@cmake --build --preset $* --parallel $(JOBS)

.PHONY: FORCE
FORCE:
