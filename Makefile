# The front door: `make run` on a machine that has make. On Debian it fetches what is missing
# (cmake/packages.sh), elsewhere it names it, and leaves the rest to CMake (CMakePresets.json).
#
# A preset NAME builds in build/NAME. Variables: JOBS=N (CPUs), TESTS=N (at a time), FUZZ_SECONDS=N,
# CTEST_ARGS="-L wire -V", BENCH_ARGS="DIR --log access.log".
.SHELLFLAGS = -euc
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL: # packages first; the parallelism is CMake's and ctest's

JOBS ?= $(shell nproc)
TESTS ?= $(shell expr 5 '*' $(JOBS)) # at a time: most wait for deadlines, not for a CPU; with 4 a tenth of them is idle
CTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 10
URL = http://127.0.0.1:8080/

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
test: packages-test announce-tests preset-release ## build, then run every test (CTEST_ARGS="-L unit")
	@ctest --preset release -j $(TESTS) $(CTEST_ARGS)

.PHONY: debug
debug: packages-test preset-debug ## every test under AddressSanitizer and UBSan
	@ctest --preset debug -j $(TESTS) $(CTEST_ARGS)

.PHONY: tsan
tsan: packages-test preset-tsan ## every test under ThreadSanitizer
	@ctest --preset tsan -j $(TESTS) $(CTEST_ARGS)

.PHONY: fuzz
fuzz: CMAKE_ARGS = -DGS_FUZZ_SECONDS=$(FUZZ_SECONDS)
fuzz: packages-check preset-fuzz ## each fuzz target for FUZZ_SECONDS (10)
	@ctest --preset fuzz -j $(JOBS) $(CTEST_ARGS)

.PHONY: coverage
coverage: packages-check preset-coverage ## every test, then build/coverage/index.html
	@ctest --preset coverage -j $(TESTS) $(CTEST_ARGS)
	@gcovr --root . --object-directory build/coverage --exclude tests --print-summary \
	    --html-details build/coverage/index.html

.PHONY: tidy
tidy: packages-check preset-clang ## clang-tidy over the sources
	@git ls-files '*.c' | grep -v '^tests/' | xargs -P $(JOBS) -n 4 clang-tidy -quiet -p build/clang

.PHONY: bench
bench: packages-bench build ## compare the engines on www/ for a minute (BENCH_ARGS="DIR --peers nginx")
	@bench/compare $(or $(BENCH_ARGS),www --quick)

.PHONY: docs
docs: packages-docs build ## the documentation as a site, with a search, on http://127.0.0.1:8090/
	@docs/site/build.py
	@echo "make: http://127.0.0.1:8090/ (Ctrl-C ends it)"
	@exec build/release/gearshift -c build/docs/server.conf

.PHONY: install
install: build ## install below CMAKE_INSTALL_PREFIX (/usr/local), with the manual and the site
	@cmake --install build/release

.PHONY: uninstall
uninstall: ## remove what `make install` installed, but for a server.conf that was edited
	@cmake -P cmake/Uninstall.cmake build/release

.PHONY: deb
deb: packages-package ## Debian packages in build/deb, from the tree as it is
	@packaging/deb

.PHONY: dist
dist: ## build/dist: the release as a tarball of what is committed, its SBOM and checksums
	@packaging/dist

.PHONY: image
image: ## build/image: a container image (OCI) of what is on this machine, without a daemon
	@packaging/image

.PHONY: clean
clean: ## remove build/
	@rm -rf build

# --- what the targets above are made of ---

.PHONY: packages-build packages-test packages-check packages-bench packages-package packages-docs
packages-build:
	@cmake/packages.sh build
packages-test:
	@cmake/packages.sh build test client
packages-check:
	@cmake/packages.sh build test client check docs
	@if command -v apt-get >/dev/null; then \
	    for package in $$(awk '$$1 == "unpack" {print $$2}' packages.txt); do \
	        tests/vm/unpack_kernel "$$package" build/vm; \
	    done; \
	fi
packages-package:
	@cmake/packages.sh build package
packages-bench:
	@cmake/packages.sh build bench
packages-docs:
	@cmake/packages.sh build docs

.PHONY: announce-tests
announce-tests:
	@echo "make: the build takes one to three minutes of two idle CPUs, and 0.4 GB in build/"
ifeq ($(CTEST_ARGS),)
	@echo "make: the tests take 15 to 30 minutes of two idle CPUs, and up to 1 GB in $${TMPDIR:-/tmp}; ctest prints which it runs"
endif

preset-%: FORCE
	@cmake --preset $* $(CMAKE_ARGS)
	@cmake --build --preset $* --parallel $(JOBS)

.PHONY: FORCE
FORCE:
