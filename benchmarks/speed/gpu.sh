#!/usr/bin/env bash
# Everything on one GPU, real runs of `zoo run` included: benchmarks/speed/gpu.sh [OPTION...], options as of run.py.
# Nothing is fetched. PYTHON has JAX and PyTorch for the GPU; WHEELS is a folder with wheels of what else it lacks (keras,
# pluggy, ...), which are unpacked into a folder that is gone afterwards. The zoo itself is taken from this source tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SPEED_COMMAND="benchmarks/speed/gpu.sh${*:+ $*}"  # without this machine's paths
source benchmarks/common/gpu_site.sh
"$python" -m benchmarks.speed.run --name gpu --device gpu --sections peaks cases batches runs --run-backend jax \
    --torch-python "${TORCH_PYTHON:-$python}" "$@"
