# The verbs of a checkout. Each makes .venv from uv.lock first, where that has not been done.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PATH_TO := .venv/bin
STAMP := .venv/.set-up

SHOP := runs/simulated
SHOP_SIZE := --users 3000 --items 1500 --events 60000 --seed 7

export TF_USE_LEGACY_KERAS := 1

.PHONY: setup run test e2e check fix
.DEFAULT_GOAL := setup

setup: $(STAMP)

# Not `python3` alone: a shim of that name may stand on the PATH and fail.
$(STAMP): uv.lock setup.py pyproject.toml bootstrap.py
	@for python in python3 /usr/bin/python3 python3.10 python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null; then \
	    "$$python" bootstrap.py && touch $@; exit $$?; \
	  fi; \
	done; \
	echo "setup: expected a python3 (3.6 or newer) on the PATH, found none that works; install one" >&2; exit 2

# The simulated shop, made once, through the whole pipeline to recommendations.
run: setup $(SHOP)/data
	$(PATH_TO)/tandem run --config configs/simulated.toml --data $(SHOP)/data --root $(SHOP)
	$(PATH_TO)/tandem recommend --root $(SHOP) --k 10 \
	  --user "$$($(PATH_TO)/python -c 'import json; print(json.loads(open("$(SHOP)/data/users.jsonl").readline())["user_id"])')"

$(SHOP)/data: | setup
	$(PATH_TO)/tandem simulate $(SHOP_SIZE) --out $@.making
	mv $@.making $@

# Every test that is not long by nature.
test: setup
	$(PATH_TO)/pytest -m "not e2e" --numprocesses 2 --dist loadfile

# The whole way from logs to served recommendations, in many forms.
e2e: setup
	$(PATH_TO)/pytest -m e2e --numprocesses 2 --dist loadfile

check: setup
	$(PATH_TO)/ruff check
	$(PATH_TO)/ruff format --check
	$(PATH_TO)/pyright
	$(PATH_TO)/lint-imports --no-cache
	$(PATH_TO)/hadolint Dockerfile
	@$(PATH_TO)/tandem config | diff -u docs/CONFIG.md - || \
	  { echo "docs/CONFIG.md is not what the configuration types say; write it with: make fix" >&2; exit 1; }
	@$(PATH_TO)/python -m pipeline.cli.reference | diff -u docs/VERBS.md - || \
	  { echo "docs/VERBS.md is not what the command line says; write it with: make fix" >&2; exit 1; }

fix: setup
	$(PATH_TO)/ruff check --fix
	$(PATH_TO)/ruff format
	$(PATH_TO)/tandem config > docs/CONFIG.md.making
	mv docs/CONFIG.md.making docs/CONFIG.md
	$(PATH_TO)/python -m pipeline.cli.reference docs/VERBS.md
	$(PATH_TO)/python -m pipeline.diagram docs/pipeline.svg
