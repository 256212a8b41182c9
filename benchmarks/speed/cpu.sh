#!/usr/bin/env bash
# Everything on a CPU, in about 20 minutes on 2 cores: benchmarks/speed/cpu.sh [OPTION...], options as of run.py.
# PYTHON has the zoo with TensorFlow and JAX, TORCH_PYTHON has PyTorch and NumPy, THREADS is how many cores are used.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SPEED_COMMAND="benchmarks/speed/cpu.sh${*:+ $*}"  # without this machine's paths
python=${PYTHON:-.venv/bin/python}
exec "$python" -m benchmarks.speed.run --name cpu --threads "${THREADS:-2}" --torch-python "${TORCH_PYTHON:-$python}" "$@"
