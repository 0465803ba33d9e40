# One entry for every habit; `./run` makes the environment that these work in.

bin := justfile_directory() / ".venv/bin"

# What CI runs
check: lint types layers compose test

# Style and formatting of all files
lint:
    {{bin}}/ruff check .
    {{bin}}/ruff format --check .

# Repair what can be repaired by itself
format:
    {{bin}}/ruff check --fix .
    {{bin}}/ruff format .

# Types of everything, strictly
types:
    {{bin}}/mypy

# Dependencies point at the facts
layers:
    {{bin}}/lint-imports

# The compose file against its published schema
compose:
    {{bin}}/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

# All tests, or those that pytest's arguments name
test *arguments:
    {{bin}}/python -m pytest {{arguments}}

# Pin again what pyproject.toml asks for
lock:
    uv export --upgrade --format requirements-txt --no-emit-project --no-header --quiet > requirements.lock
