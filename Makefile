# SPDX-License-Identifier: Apache-2.0
#
# make run     build and start Rampart at http://127.0.0.1:8990
# make demo    the same with simulated traffic and a guarded ramp
# make test    everything that CI runs
# make bench   the benchmarks, each a ratio against a peer in the same run
# make install copy the binary to $(PREFIX)/bin

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

PREFIX ?= /usr/local
LISTEN ?= $(or $(RAMPART_LISTEN),127.0.0.1:8990)
DATA ?= $(or $(RAMPART_DATA),rampart-data)
BINARY := .build/release/rampart
VENV := .build/test-venv
BENCH_VENV := .build/bench-venv
SWIFT_BUILD := swift build --configuration release

# One stamp for each list: apt is asked once, and again only when the list changes.
PACKAGES_BUILD := libmicrohttpd-dev libsqlite3-dev zlib1g-dev libzstd-dev libsnappy-dev libcurl4-gnutls-dev libre2-dev libjs-dygraphs
PACKAGES_TEST := chromium chromium-driver gcc libc6-dev node-typescript node-winston nodejs prometheus prometheus-alertmanager python3 python3-venv sqlite3 syslog-ng-core syslog-ng-mod-http
PACKAGES_BENCH := mtail wrk nginx-light prometheus python3-venv

SOURCES := Package.swift $(shell find Sources web dashboards alerts -type f 2>/dev/null)

.PHONY: build run demo test test-swift test-acceptance bench install clean packages-build packages-test packages-bench

build: $(BINARY)

$(BINARY): $(SOURCES) | packages-build
	@echo "building rampart (release; the first build takes a few minutes)"
	$(SWIFT_BUILD) --product rampart
	@touch $(BINARY)

run: $(BINARY)
	@echo "Rampart: http://$(LISTEN)/ (data in $(DATA); stop with Ctrl-C)"
	exec $(BINARY) serve --listen $(LISTEN) --data $(DATA)

demo: $(BINARY)
	exec bash .ci/demo $(BINARY) $(LISTEN)

install: $(BINARY)
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/rampart

test: test-swift test-acceptance

# Tests run the release build: one configuration is built once, and what is tested is what runs.
test-swift: $(BINARY)
	@echo "== building the tests"; start=$$SECONDS; $(SWIFT_BUILD) --build-tests; echo "== built in $$((SECONDS - start)) s"
	@echo "== module tests"; start=$$SECONDS; status=0; \
	  swift test --configuration release --skip-build --no-parallel >.build/swift-test.log 2>&1 || status=$$?; \
	  grep -E '^✘|^✔ (Suite|Test run)|^✘ Test run|: error:|Fatal error' .build/swift-test.log || tail -n 40 .build/swift-test.log; \
	  echo "== module tests took $$((SECONDS - start)) s"; exit $$status

test-acceptance: $(BINARY) $(VENV)/stamp | packages-test
	@echo "== acceptance tests against $(BINARY)"; start=$$SECONDS; \
	  $(VENV)/bin/python -m pytest Tests/Acceptance --durations=15 -q; echo "== acceptance tests took $$((SECONDS - start)) s"

bench: $(BINARY) $(BENCH_VENV)/stamp | packages-bench
	$(BENCH_VENV)/bin/python Tests/Bench/bench.py $(BINARY)

clean:
	swift package clean

$(VENV)/stamp: Tests/Acceptance/requirements.txt | packages-test
$(BENCH_VENV)/stamp: Tests/Bench/requirements.txt | packages-bench
$(VENV)/stamp $(BENCH_VENV)/stamp:
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

packages-build:
	@bash .ci/packages $(PACKAGES_BUILD)

packages-test:
	@bash .ci/packages $(PACKAGES_TEST)

packages-bench:
	@bash .ci/packages $(PACKAGES_BENCH)
