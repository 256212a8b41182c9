#!/usr/bin/env bash
# The same runs in float32 and in bfloat16, for the same number of images: benchmarks/precision.sh
set -euo pipefail
cd "$(dirname "$0")/.."
zoo=${ZOO:-.venv/bin/zoo}
results=benchmarks/results/precision
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
for variant in dcgan wgan-gp; do
    for precision in float32 bfloat16; do
        run="$runs/$variant-$precision"
        "$zoo" run "$variant" --precision "$precision" --out "$run"
        mkdir -p "$results/$variant-$precision"
        cp "$run/run.yaml" "$run/metrics.jsonl" "$results/$variant-$precision"
        cp "$(ls "$run"/samples/step-*.png | tail -n 1)" "$results/$variant-$precision/samples.png"
    done
done
