# One word for each job; .ci/run uses the same commands.

# Make .venv with everything for development.
setup:
    python3 -m venv .venv
    .venv/bin/pip install --constraint constraints.txt --editable '.[dev]'

# Run all tests, or those named: just test tests/cli -k batch
test *arguments:
    python -m pytest {{arguments}}

# Check style and types.
lint:
    ruff check .
    ruff format --check .
    mypy

# Mend what can be mended without thought.
fix:
    ruff check --fix .
    ruff format .

# Write the docs and completions that come from the program.
docs:
    python docs/generate.py

# Measure what docs/benchmarks.md reports.
bench *arguments:
    python benchmarks/startup.py {{arguments}}
