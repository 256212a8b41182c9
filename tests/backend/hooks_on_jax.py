"""The hooks of every case on JAX in double precision: their values and gradients, into the .npz file that is named.

What is refused is told in a .json file beside it.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # where by_hand lies

import jax
import numpy as np
from draws import substitute_draws
from hook_cases import CASES, Made
from players import compute_in
from refused_hooks import told

if __name__ == "__main__":
    compute_in("mended")
    substitute_draws()
    results = {}
    for case in CASES:
        values, slope = Made(case).measured(jax.jit)
        results |= {f"{case.name}|value": values, f"{case.name}|slope": slope}
    path = Path(sys.argv[1])
    np.savez(path, **results)
    path.with_suffix(".json").write_text(json.dumps(told(path.parent)))
