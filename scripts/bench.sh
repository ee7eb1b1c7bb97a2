#!/bin/bash
# Compares speed with native runs and other runtimes; see Benchmarks/bench.py --help.
#
#   scripts/bench.sh [--quick] [--write] [--check] [ROW...]
exec /usr/bin/python3 -B "$(dirname "$0")/../Benchmarks/bench.py" "$@"
