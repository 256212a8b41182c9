#!/usr/bin/env bash
# Fills a folder with the wheels that day.sh needs beside JAX, PyTorch and what usually comes with the two (h5py, jinja2,
# matplotlib, NumPy, Pillow, pluggy, PyYAML, rich, SciPy, tqdm): benchmarks/gpu/wheels.sh FOLDER [PYTHON'S VERSION] [MORE...]
# The versions are those of requirements.lock.
set -euo pipefail
folder=${1:?name a folder}
version=${2:-3.12}
lock=$(dirname "$0")/../../requirements.lock
mkdir -p "$folder"
for name in click cloup importlib-resources keras namex optree platformdirs "${@:3}"; do
    grep -E "^$name==" "$lock" | sed 's/ .*//'
done | xargs python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version "$version" \
    --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux1_x86_64 --dest "$folder"
du -sh "$folder"
