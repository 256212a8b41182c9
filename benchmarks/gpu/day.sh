#!/usr/bin/env bash
# A GPU's first quarter of an hour: benchmarks/gpu/day.sh [OPTION...], options as of day.py. Nothing is fetched.
# PYTHON has JAX and PyTorch for the GPU; WHEELS is a folder that benchmarks/gpu/wheels.sh has filled with what else is
# needed, which is unpacked into a folder that is gone afterwards. The zoo itself is taken from this source tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
source benchmarks/common/gpu_site.sh
export KERAS_BACKEND=jax
export JAX_COMPILATION_CACHE_DIR="$site/compiled"  # so that a run's second sitting starts at once, and a second seed
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0
"$python" -m benchmarks.gpu.day "$@"
