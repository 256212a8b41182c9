# Sourced by commands for a machine that has JAX and PyTorch for its GPU, and no network: `python` and PYTHONPATH.
# PYTHON is that machine's; WHEELS is a folder with wheels of what else it lacks, which are unpacked into a folder that is
# gone afterwards (`site`). The zoo itself is taken from this source tree, which is the working directory.
python=${PYTHON:-python3}
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
if [ -n "${WHEELS:-}" ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target "$site" "$WHEELS"/*.whl
fi
ln -s "$PWD/zoo" "$site/zoo"
ln -s "$PWD/plugins" "$site/zoo_plugins"
export PYTHONPATH="$site:$PWD${PYTHONPATH:+:$PYTHONPATH}"
