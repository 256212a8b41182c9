"""Every layer on JAX in double precision: its outputs, its gradients of second order and its shapes, as JSON."""

import json
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
from layer_cases import CASES, outcome, symbolic_shapes

jax.config.update("jax_enable_x64", True)

if __name__ == "__main__":
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    found = {}
    for name, case in CASES.items():
        values, errors = outcome(case)
        found[name] = {"values": values, "errors": errors, "shapes": symbolic_shapes(case)}
    print(json.dumps(found))
