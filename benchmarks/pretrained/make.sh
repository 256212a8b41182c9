#!/usr/bin/env bash
# Trains and packs the generators that ship with the zoo. Interrupted, it continues.
#     benchmarks/pretrained/make.sh [DATA_DIR]
# With DATA_DIR, where MNIST and Fashion-MNIST are prepared, the entries of full datasets are made too.
set -euo pipefail
cd "$(dirname "$0")/../.."

make() { # VARIANT DATASET BUDGET...: a new entry, unless it is there
    local name="$1@$2" run="runs/$1/$2/0"
    [[ -d zoo/pretrained/$name ]] && return
    zoo run "$1" --dataset "$2" "${@:3}"
    zoo pack "$run" --as "$name" --into zoo/pretrained --license apache-2.0 --evaluate
}

make dcgan fashion_mini --images 100000
make cgan-projection fashion_mini --images 300000
make pix2pix-edges fashion_mini --images 60000
make r3gan fashion_mini --images 150000
make wgan-gp fashion_mini --images 400000
make vanilla ring8 --steps 20000
if [[ $# -gt 0 ]]; then
    export TFDS_DATA_DIR=$1
    make dcgan stacked_mnist --images 300000
    make dcgan fashion_mnist --images 600000
fi
du -sk zoo/pretrained # at most 12 MB in all: a test says so
