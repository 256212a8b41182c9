#!/usr/bin/env bash
# The four runs of the README on the full Fashion-MNIST, and their scores. About an hour and a half on 2 cores.
#     benchmarks/fashion_mnist.sh [DATA_DIR]
# Interrupted, it continues. Without a network, put the four files into DATA_DIR/downloads/manual first.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:-$HOME/tensorflow_datasets}
results=benchmarks/results/fashion_mnist

for each in "dcgan 20" "vanilla 30" "wgan 50" "wgan-gp 40"; do
    read -r variant epochs <<<"$each"
    run=runs/$variant/fashion_mnist/0
    zoo run "$variant" --dataset fashion_mnist --epochs "$epochs" --data-dir "$data"
    zoo evaluate "$run" --extractor efficientnet-lite0 --data-dir "$data"
    mkdir -p "$results/$variant"
    cp "$run/run.yaml" "$run/metrics.jsonl" "$run/evaluation.json" "$results/$variant/"
    cp "$(find "$run/samples" -name 'step-*.png' | sort | tail -n 1)" "$results/$variant/samples.png"
    cp "$(find "$run/evaluation" -name 'memorisation-*.png' | sort | tail -n 1)" "$results/$variant/memorisation.png"
done
python -m benchmarks.evaluation.references --data-dir "$data" --out "$results"
