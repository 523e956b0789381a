# Everything happens in .venv; PORT, HOST and VAR_DIR pass through to what runs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
FERNET_KEY := b25seS1mb3ItY2hlY2tzLW9ubHktZm9yLWNoZWNrcy0=
# Tests sign people in by the hundred: a password is hashed quickly there, and nowhere else. And they start many processes: what
# is compiled once is kept, also where PYTHONDONTWRITEBYTECODE is set.
TEST_ENV := SECRET_KEY=only-for-checks SECRET_ENCRYPTION_KEYS=$(FERNET_KEY) DEVELOPMENT=1 PYTHONDONTWRITEBYTECODE= \
	PASSWORD_HASHERS=django.contrib.auth.hashers.MD5PasswordHasher
CHECK_ENV := SECRET_KEY=only-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789 \
	SECRET_ENCRYPTION_KEYS=$(FERNET_KEY) PUBLIC_URL=https://bookings.example DATABASE_URL=postgresql://nowhere/none REDIS_URL=redis://nowhere

.DEFAULT_GOAL := help
.PHONY: help run test soak lint bench check docs pictures clean

help:
	@echo "make run       everything on this machine: PostgreSQL, Redis, web, worker, demo data (PORT=8000 VAR_DIR=var)"
	@echo "make test      every test"
	@echo "make soak      the same promises at full size"
	@echo "make bench     how fast it is, next to a floor taken in the same run"
	@echo "make lint      format, lint, types, import contracts"
	@echo "make docs      the API's documents in docs/ from the code"
	@echo "make pictures  the pictures of the README, taken in a browser from a product of their own"
	@echo "make check     lint, deployment checks, migrations and documents up to date"

$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; choose one with make PYTHON=/path/to/python3"; exit 1; }
	@echo "· Making the Python environment (a minute or two, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "Python's venv module is missing: on Debian, apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)

run: $(STAMP)
	@exec $(BIN)/python -m bookingflow.run

test: $(STAMP)
	@$(TEST_ENV) $(BIN)/python -m bookingflow.embedded --fast -- $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

soak: $(STAMP)
	@$(TEST_ENV) $(BIN)/python -m bookingflow.embedded --fast -- $(BIN)/python -m pytest -m "soak or property" --hypothesis-profile soak --timeout 1800 $(ARGS)

bench: $(STAMP)
	@mkdir -p var/bench/static && VAR_DIR=var/bench LOG_LEVEL=WARNING $(TEST_ENV) $(BIN)/python -m bookingflow.embedded -- $(BIN)/python -m benchmarks $(ARGS)

lint: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(CHECK_ENV) $(BIN)/mypy .
	@$(CHECK_ENV) $(BIN)/lint-imports

check: lint
	@$(CHECK_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(CHECK_ENV) $(BIN)/python manage.py build_docs --check
	@$(TEST_ENV) $(BIN)/python -m bookingflow.embedded --fast -- $(BIN)/python manage.py makemigrations --check --dry-run

docs: $(STAMP)
	@$(CHECK_ENV) $(BIN)/python manage.py build_docs

pictures: $(STAMP)
	@$(BIN)/python docs/pictures.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
