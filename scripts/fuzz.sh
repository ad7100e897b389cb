#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, each for the time
# given (30s). What it finds lies in the package's testdata/fuzz: commit it with
# the fix, and `make test` replays it for ever.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz_time=${1:-30s}

grep -rEno --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file _ declaration; do
  target=${declaration#func }
  echo "== $target ($(dirname "$file"))"
  go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzz_time" "$(dirname "$file")" </dev/null
done
