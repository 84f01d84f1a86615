# Each of these does its own set-up; the second time that costs a second.
#   make run     a living meeting on this machine; ARGS="--sites 579 --lan" are passed on
#   make test    every test that fits in a change; ARGS="-k floor" are passed on
#   make check   format, lint, types, arrows, generated files
#   make prove   the long proofs
#   make bench   the benchmarks, some minutes on a quiet machine; renews benchmarks/results and docs/benchmarks.md
#   make bench-sfu   the benchmarks of the media path, beside Debian's Janus where that is installed: seven minutes;
#                the soak alone takes SOAK_SECONDS=600 for ten minutes of coming and going
#   make bench-fleet   a fleet of 1,000 kiosks on a bad day, then 10,000 with a beat a minute: fifteen minutes

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
SOAK_SECONDS ?= 60
RESULTS := benchmarks/results

.PHONY: run test check setup prove bench bench-sfu bench-fleet setup-run web clean

run: setup-run
	@$(BIN)/diemcau demo $(ARGS)

test: setup
	@$(BIN)/pytest -m "not slow" $(ARGS)

prove: setup
	@$(BIN)/pytest -m slow $(ARGS)

bench: setup
	@for sites in 120 579 1200; do \
	  $(BIN)/python -m benchmarks.signaling --sites $$sites --json benchmarks/results/signaling-$$sites.json || exit 1; \
	done
	@$(BIN)/python -m benchmarks.recover --sites 579 --json benchmarks/results/recover-579.json
	@$(BIN)/python -m benchmarks.journal --json benchmarks/results/journal.json
	@$(BIN)/python -m benchmarks.backends --json benchmarks/results/backends.json
	@$(BIN)/python -m benchmarks.demo --sites 40 --json benchmarks/results/demo-40.json
	@$(BIN)/python -m benchmarks.demo --sites 579 --json benchmarks/results/demo-579.json
	@$(BIN)/python -m benchmarks.table

bench-sfu: setup
	@$(BIN)/python -m benchmarks.egress --json $(RESULTS)/egress-579-gcm.json
	@$(BIN)/python -m benchmarks.sfu_forward --profile both --feedback rr --against janus $(ARGS) --json $(RESULTS)/sfu_forward-579.json
	@$(BIN)/python -m benchmarks.stage_switch --json $(RESULTS)/stage_switch-579.json
	@$(BIN)/python -m benchmarks.soak --seconds $(SOAK_SECONDS) --json $(RESULTS)/soak-579.json
	@$(BIN)/python -m benchmarks.table

bench-fleet: setup
	@$(BIN)/python -m benchmarks.fleet --kiosks 1000 --json $(RESULTS)/fleet-1000.json
	@$(BIN)/python -m benchmarks.fleet --kiosks 10000 --beat 60 --seconds 300 --json $(RESULTS)/fleet-10000.json
	@$(BIN)/python -m benchmarks.table

check: setup
	@$(PYTHON) tools/check.py

setup:
	@$(PYTHON) tools/setup.py test

setup-run web:
	@$(PYTHON) tools/setup.py run

clean:
	rm -rf .venv .setup web/node_modules signaling/static kiosk_client/static
