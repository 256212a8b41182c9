#!/usr/bin/env bash
# The comparisons of the README: mixtures of Gaussians over 10 seeds, the embedded garments over 5. About three hours of
# one core, so half of that on two. Interrupted, it continues.
#     benchmarks/comparisons.sh [DATA_DIR] [JOBS]
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:-$HOME/tensorflow_datasets}
jobs=${2:-$(nproc)}

for benchmark in ring8 grid25 fashion-mini; do
    zoo compare --benchmark "$benchmark" --data-dir "$data" --jobs "$jobs"
    results=benchmarks/results/comparisons/$benchmark
    mkdir -p "$results"
    cp "comparisons/$benchmark"/{report.html,report.md,scores.csv,comparison.json} "$results/"
done
