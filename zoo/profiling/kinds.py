"""Classifies operations by the words in their names, such as `_MklNativeConv2DBackpropFilter`, `sm90_xmma_fprop`."""

import re
from functools import cache

from zoo.backend.traces.xla_programs import WIDE_WINDOW

FORWARD = "convolutions, forward"
BY_INPUT = "convolutions, gradient by input"
BY_KERNEL = "convolutions, gradient by kernel"
PRODUCTS = "matrix multiplications"
BETWEEN_DEVICES = "between devices"
RANDOM = "random numbers"
OPTIMIZER = "optimizer"
ELEMENTWISE = "normalization, elementwise, sums"
MOVEMENT = "data movement and layout"
SCHEDULING = "scheduling"
OTHER = "other"

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # a word in snake_case or CamelCase, without digits
GRADIENT = re.compile(r"gradient_tape|transpose\(")  # matches the scopes of gradients in TensorFlow, and in JAX
KERNEL_GRADIENT = re.compile(r"backprop_?filter|backwardfilter|wgrad|window-dilated", re.IGNORECASE)
NOWHERE = re.compile(r"(?!)")


def words(text: str) -> frozenset[str]:
    """`_MklNativeConv2DBackpropFilter` is mkl, native, conv, d, backprop and filter."""
    return frozenset(word.lower() for word in WORD.findall(text))


CONVOLUTION = words("conv convolution fprop dgrad wgrad")
# (kind, words, scopes): an operation is of the first kind that has one of its words, or matches its scope.
KINDS = (
    (PRODUCTS, words("mat matmul dot gemm gemv cublas cutlass nvjet"), NOWHERE),
    (BETWEEN_DEVICES, words("nccl allreduce"), re.compile("all-reduce|psum")),
    (RANDOM, words("random rng philox"), re.compile(r"random|\brng|threefry|jit\(_(normal|uniform|bernoulli)")),
    (OPTIMIZER, words("adam rmsprop"), re.compile(r"(^|/)(adam|rmsprop|sgd|optimizer)", re.IGNORECASE)),
    (
        ELEMENTWISE,
        words(
            "add sub subtract mul multiply div divide neg negate abs sign pow power sqrt rsqrt square squared exp "
            "exponential log tanh sigmoid logistic softplus relu elu max maximum min minimum select clip clamp "
            "compare greater less equal and or not xor sum mean prod reduce reduction bias norm batchnorm elementwise"
        ),
        NOWHERE,
    ),
    (
        MOVEMENT,
        words(
            "transpose copy memcpy memset reshape concat concatenate slice gather scatter pad cast convert broadcast "
            "tile pack unpack bitcast iota fill identity read assign arg retval const constant shape expand squeeze "
            "reverse nchw nhwc zeros ones"
        ),
        NOWHERE,
    ),
    (SCHEDULING, words("inference partitioned call while if conditional"), NOWHERE),
)


@cache
def operation_kind(computes: str, scope: str) -> str:
    """The kind of an operation, by the names of what it computes and the scopes that it was traced in."""
    found = words(computes)
    if found & CONVOLUTION:
        return convolution_kind(computes, scope)
    return next((kind for kind, names, scopes in KINDS if found & names or scopes.search(scope)), OTHER)


def convolution_kind(computes: str, scope: str) -> str:
    """The kind of a convolution by its purpose: the names of kernels swap for a transposed one."""
    is_traced = "/" in scope  # without a scope it is XLA's rewrite of a convolution, or an unnamed kernel
    is_gradient = GRADIENT.search(scope) if is_traced else "dgrad" in computes
    if KERNEL_GRADIENT.search(computes) or (WIDE_WINDOW in computes and (is_gradient or not is_traced)):
        return BY_KERNEL
    return BY_INPUT if is_gradient else FORWARD
