"""Operations by kind, told from the words in their names: `_MklNativeConv2DBackpropFilter`, `sm90_xmma_fprop`."""

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

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # of snake_case and CamelCase alike, without numbers
GRADIENT = re.compile(r"gradient_tape|transpose\(")  # in the scopes of TensorFlow's gradients, and of JAX's
KERNEL_GRADIENT = re.compile(r"backprop_?filter|backwardfilter|wgrad|window-dilated", re.IGNORECASE)
NOWHERE = re.compile(r"(?!)")


def words(text: str) -> frozenset[str]:
    """`_MklNativeConv2DBackpropFilter` is mkl, native, conv, d, backprop and filter."""
    return frozenset(word.lower() for word in WORD.findall(text))


CONVOLUTION = words("conv convolution fprop dgrad wgrad")
KINDS = (  # the first with a word of what the operation computes, or a scope that it was traced in
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
    """The kind of an operation, by what it computes and the scopes that it was traced in."""
    found = words(computes)
    if found & CONVOLUTION:
        return convolution_kind(computes, scope)
    return next((kind for kind, names, scopes in KINDS if found & names or scopes.search(scope)), OTHER)


def convolution_kind(computes: str, scope: str) -> str:
    """Which of a convolution's three computations it is, by what it is for: a transposed one's swap their names."""
    is_traced = "/" in scope  # else it is XLA's own version of one, or a kernel that nobody named
    is_gradient = GRADIENT.search(scope) if is_traced else "dgrad" in computes
    if KERNEL_GRADIENT.search(computes) or (WIDE_WINDOW in computes and (is_gradient or not is_traced)):
        return BY_KERNEL
    return BY_INPUT if is_gradient else FORWARD
