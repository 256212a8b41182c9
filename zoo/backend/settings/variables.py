"""Environment variables that libraries read when they are loaded, and what each does to numbers."""

import re
from collections.abc import Mapping

ON = r"1|true|t|yes|y|on"
REFUSED: dict[str, tuple[str, str]] = {  # variable: (values that are refused, what they do)
    "ONEDNN_DEFAULT_FPMATH_MODE": ("(?!strict$).+", "lets oneDNN round float32 products to fewer digits"),
    "DNNL_DEFAULT_FPMATH_MODE": ("(?!strict$).+", "lets oneDNN round float32 products to fewer digits"),
    "TF_SET_ONEDNN_FPMATH_MODE": ("(?!strict$).+", "lets oneDNN round float32 products to fewer digits"),
    "TF_XLA_FLAGS": (r".*--tf_xla_auto_jit=(?!(0|off|false)\b).*", "has XLA compile what is to be a graph"),
    "TF_ENABLE_AUTO_MIXED_PRECISION": (ON, "turns float32 graphs into half precision"),
    "TF_ENABLE_AUTO_MIXED_PRECISION_GRAPH_REWRITE": (ON, "turns float32 graphs into half precision"),
    "XLA_FLAGS": (r".*--xla_(cpu|gpu)_enable_fast_math(=(true|1)|\s|$).*", "lets XLA reorder and approximate"),
}
RECORDED = (  # other digits, the same mathematics
    "TF_ENABLE_ZENDNN_OPTS",
    "TF_DETERMINISTIC_OPS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_CUDNN_USE_AUTOTUNE",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ONEDNN_CPU_ISA_HINTS",
    "DNNL_CPU_ISA_HINTS",
    "NVIDIA_TF32_OVERRIDE",
    "CUBLAS_WORKSPACE_CONFIG",
    "MKL_CBWR",
    "OPENBLAS_CORETYPE",
    "NPROC",
    "PJRT_NPROC",
    "NPY_DISABLE_CPU_FEATURES",
)
OF_PLACE = re.compile(  # flags of XLA that change no number, or that --deterministic sets and run.yaml says
    r"--xla_(dump_\S*|hlo_profile\S*|force_host_platform_device_count=\S*"
    r"|gpu_(deterministic_ops=true|exclude_nondeterministic_ops=true|autotune_level=0))(\s+|$)"
)


def refused_variables(environment: Mapping[str, str], backend: str) -> list[str]:
    """A sentence for each variable that contradicts the recorded precision or policy on a backend."""
    return [
        f"The environment variable {name}={environment[name]} {does}, which run.yaml would not say. Unset it; "
        "--precision bfloat16 is the zoo's own way to fewer digits."
        for name, (values, does) in REFUSED.items()
        if name in environment
        and concerns(name, backend)
        and re.fullmatch(values, environment[name].strip(), re.IGNORECASE | re.DOTALL)
    ]


def recorded_variables(environment: Mapping[str, str], backend: str) -> dict[str, str]:
    """The variables that are set and may change digits on a backend, by name."""
    here = [name for name in RECORDED if concerns(name, backend)]
    found = {name: OF_PLACE.sub("", environment.get(name, "")).strip() for name in here}
    return {name: value for name, value in found.items() if value}


def concerns(name: str, backend: str) -> bool:
    """Whether a backend's libraries read the variable."""
    return backend == "tensorflow" or not name.startswith("TF_")
