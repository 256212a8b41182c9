#!/usr/bin/env bash
# A GPU's first quarter of an hour: benchmarks/gpu/day.sh [OPTION...], options as of day.py. Nothing is fetched.
# PYTHON has JAX and PyTorch for the GPU; WHEELS is a folder that benchmarks/gpu/wheels.sh has filled with what else is
# needed, which is unpacked into a folder that is gone afterwards. The zoo itself is taken from this source tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
if [ -n "${WHEELS:-}" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target "$site" "$WHEELS"/*.whl
fi
ln -s "$PWD/zoo" "$site/zoo"
ln -s "$PWD/plugins" "$site/zoo_plugins"
export PYTHONPATH="$site:$PWD${PYTHONPATH:+:$PYTHONPATH}" KERAS_BACKEND=jax
export JAX_COMPILATION_CACHE_DIR="$site/compiled"  # so that a run's second sitting starts at once
"$python" -m benchmarks.gpu.day "$@"
