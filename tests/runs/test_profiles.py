"""Profiles: self times, kinds, phases and trace files, for hand-made events and those of the backends."""

import gzip
import importlib.util
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow.compiler.xla.service import hlo_pb2
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from zoo.backend.traces import tensorflow as trace
from zoo.backend.traces.events import Event
from zoo.backend.traces.xspace import events_of
from zoo.errors import ZooError
from zoo.profiling import Phases, profile_steps
from zoo.profiling.chrome import write_trace
from zoo.profiling.kinds import operation_kind
from zoo.profiling.phases import EVERYTHING_ELSE
from zoo.profiling.screen import shown
from zoo.profiling.self_time import self_times
from zoo.profiling.summary import Part, summarize

STEPS = 4  # traced
SCREEN = (24, 100)  # lines, characters of each

JAX_PROGRAM = """
import json, sys
from pathlib import Path
import jax
from jax import lax
from zoo.backend.traces import jax as trace
from zoo.profiling.summary import summarize

def loss(kernels, samples):
    hidden = lax.conv_general_dilated(samples, kernels[0], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return lax.conv_transpose(hidden, kernels[1], (2, 2), "SAME").var()

key = jax.random.key(0)
kernels = [jax.random.normal(key, shape) for shape in ((3, 3, 3, 4), (3, 3, 4, 3))]
step = jax.jit(jax.grad(loss, argnums=(0, 1)))
samples = jax.random.normal(key, (8, 16, 16, 3))
jax.block_until_ready(step(kernels, samples))
folder = Path(sys.argv[1])
with trace.trace(folder):
    for _ in range(4):
        jax.block_until_ready(step(kernels, samples))
counts = {part.name: part.count for part in summarize(trace.events(folder), {}, 4, 1.0, 1.0).kinds}
print(json.dumps({"counts": counts, "tensorflow": "tensorflow" in sys.modules}))
"""


def event(name: str, start: float, seconds: float, **more: Any) -> Event:
    """An operation on a thread of the host."""
    given = {"category": "operation", "place": "/host:CPU", "thread": "compute/1", "computes": name, **more}
    return Event(name=name, start_seconds=start, seconds=seconds, **given)


def covered(events: Sequence[Event]) -> float:
    """The seconds in which at least one of the events of one thread runs."""
    total = latest = 0.0
    for each in sorted(events, key=lambda each: each.start_seconds):
        ended = each.start_seconds + each.seconds
        total += max(0.0, ended - max(each.start_seconds, latest))
        latest = max(latest, ended)
    return total


class Clock:
    """A clock that advances only when a test sets it."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture(scope="module")
def tensorflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of STEPS gradients of a convolution and a transposed one, by their kernels and by the samples."""
    folder = tmp_path_factory.mktemp("trace")
    kernels = [tf.Variable(tf.random.normal(shape)) for shape in ((3, 3, 3, 4), (3, 3, 3, 4))]
    samples = tf.random.normal((8, 16, 16, 3))

    @tf.function
    def step(samples: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(samples)
            hidden = tf.nn.conv2d(samples, kernels[0], 2, "SAME")
            generated = tf.nn.conv2d_transpose(hidden, kernels[1], (8, 16, 16, 3), 2, "SAME")
            loss = tf.reduce_sum(tf.square(generated))
        return tape.gradient(loss, [samples, *kernels])

    step(samples)
    with trace.trace(folder):
        for _ in range(STEPS):
            step(samples)
    return folder


@pytest.fixture(scope="module")
def tensorflow_events(tensorflow_folder: Path) -> list[Event]:
    return trace.events(tensorflow_folder)


def test_time_within_an_event_is_counted_once() -> None:
    events = [
        event("outer", 0, 10),
        event("inner", 1, 4),
        event("innermost", 2, 1),
        event("second", 6, 2),
        event("apart", 20, 5),
        event("elsewhere", 0, 10, thread="compute/2"),
    ]
    assert {each.name: own for each, own in self_times(reversed(events))} == {
        "outer": 4,
        "inner": 3,
        "innermost": 1,
        "second": 2,
        "apart": 5,
        "elsewhere": 10,
    }


def test_events_that_end_a_little_late_are_not_counted_twice() -> None:
    events = [event("outer", 0, 10), event("late", 8, 2.5), event("later", 10.4, 1), event("same start", 8, 1)]
    assert covered(events) == pytest.approx(11.4)
    assert sum(own for _, own in self_times(events)) == pytest.approx(11.4)


def test_waiting_within_an_operation_is_not_its_work() -> None:
    events = [event("launch", 0, 10), event("wait", 2, 6, category="waiting"), event("note", 1, 9, category="other")]
    summary = summarize(events, {}, steps=1, seconds=20.0, unprofiled_seconds=1.0)
    assert summary.threads == {"/host:CPU compute/1": pytest.approx(4 / 20)}
    assert [part.milliseconds for part in summary.slowest] == pytest.approx([4000])


def test_a_device_counts_instead_of_the_host_that_feeds_it() -> None:
    events = [event("MatMul", 0, 9), event("gemm", 1, 2, place="/device:GPU:0", thread="Stream #7(Compute)")]
    summary = summarize(events, {}, steps=1, seconds=10.0, unprofiled_seconds=1.0)
    assert list(summary.threads) == ["/device:GPU:0 Stream #7(Compute)"]


@pytest.mark.parametrize(
    ("computes", "scope", "kind"),
    [
        ("_MklNativeFusedConv2D", "discriminator/conv2d/BiasAdd", "convolutions, forward"),
        ("Conv2DBackpropInput", "generator/conv2d_transpose/conv_transpose", "convolutions, forward"),
        ("Conv2DBackpropInput", "gradient_tape/discriminator/conv2d/Conv2D", "convolutions, gradient by input"),
        ("Conv2D", "gradient_tape/generator/conv_transpose/Conv2D", "convolutions, gradient by input"),
        ("_MklNativeConv2DBackpropFilterWithBias", "gradient_tape/conv2d/x", "convolutions, gradient by kernel"),
        ("BiasAddGrad", "gradient_tape/discriminator/conv2d/BiasAdd", "normalization, elementwise, sums"),
        ("sm90_xmma_wgrad_implicit_gemm_bf16", "", "convolutions, gradient by kernel"),
        ("sm90_xmma_dgrad_implicit_gemm_bf16", "", "convolutions, gradient by input"),
        ("sm90_xmma_fprop_implicit_gemm_bf16", "", "convolutions, forward"),
        ("custom-call __cudnn$convBackwardFilter", "main", "convolutions, gradient by kernel"),
        ("nvjet_tst_128x64", "jit(step)/dot_general", "matrix multiplications"),
        ("_MklFusedMatMul", "dense/BiasAdd", "matrix multiplications"),
        ("ncclDevKernel_AllReduce_Sum_f32", "", "between devices"),
        ("fusion.3 fusion add multiply", "jit(step)/jit(_normal)/erf_inv", "random numbers"),
        ("fusion.3 fusion add multiply", "jit(step)/transpose(jvp())/mul", "normalization, elementwise, sums"),
        ("Mul", "adam_1/Mul_3", "optimizer"),
        ("copy.12 copy", "main", "data movement and layout"),
        ("MemcpyH2D", "", "data movement and layout"),
        ("convert.2 convert", "main", "data movement and layout"),
        ("__inference_step_12", "__inference_step_12", "scheduling"),
        ("Frobnicate", "", "other"),
    ],
)
def test_an_operations_kind_is_found_from_its_names(computes: str, scope: str, kind: str) -> None:
    assert operation_kind(computes, scope) == kind


def test_the_convolutions_of_a_tensorflow_step_are_counted_by_what_they_are_for(
    tensorflow_events: list[Event],
) -> None:
    summary = summarize(tensorflow_events, {}, STEPS, 1.0, 1.0)
    counts = {part.name: part.count for part in summary.kinds}
    assert counts["convolutions, forward"] == 2
    assert counts["convolutions, gradient by input"] == 2
    assert counts["convolutions, gradient by kernel"] == 2


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_the_convolutions_of_a_jax_step_are_counted_without_tensorflow(tmp_path: Path) -> None:
    command = [sys.executable, "-c", JAX_PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["tensorflow"] is False
    assert found["counts"]["convolutions, forward"] == 2
    assert found["counts"]["convolutions, gradient by input"] == 2
    assert found["counts"]["convolutions, gradient by kernel"] == 2


def test_a_trace_is_read_as_tensorflows_own_reader_reads_it(
    tensorflow_folder: Path, tensorflow_events: list[Event]
) -> None:
    space = xplane_pb2.XSpace()
    space.ParseFromString(next(tensorflow_folder.rglob("*.xplane.pb")).read_bytes())
    began = min(line.timestamp_ns for plane in space.planes for line in plane.lines if line.events)
    expected = Counter(
        (
            plane.event_metadata[each.metadata_id].name,
            plane.event_metadata[each.metadata_id].display_name,
            line.name,
            (line.timestamp_ns - began) * 1000 + each.offset_ps,
            each.duration_ps,
        )
        for plane in space.planes
        for line in plane.lines
        for each in line.events
        if each.duration_ps
    )
    read = Counter(
        (each.name, each.computes, each.thread, round(each.start_seconds * 1e12), round(each.seconds * 1e12))
        for each in tensorflow_events
    )
    assert read == expected


def program(name: str, *instructions: tuple[str, str]) -> bytes:
    """A program of instructions with their opcodes."""
    made = hlo_pb2.HloProto()
    computation = made.hlo_module.computations.add(id=1, name="main")
    for instruction, opcode in instructions:
        computation.instructions.add(name=instruction, opcode=opcode).metadata.op_name = f"jit({name})/{opcode}"
    return made.SerializeToString()


def test_a_program_out_of_a_cache_runs_under_a_number_that_another_has() -> None:
    space = xplane_pb2.XSpace()
    programs, host = space.planes.add(name="/host:metadata"), space.planes.add(name="/host:CPU")
    convolving = program("a", ("fusion.1", "convolution"), ("fusion.2", "convolution"))
    multiplying = program("b", ("fusion.1", "dot"), ("fusion.3", "dot"))
    for number, each in ((6, convolving), (7, multiplying)):
        programs.event_metadata[number].name = f"jit_step({number})"
        programs.event_metadata[number].stats.add(bytes_value=each)
    names = ["hlo_op", "hlo_module", "program_id", "jit_step", "fusion.1", "fusion.2", "fusion.3"]
    for number, name in enumerate(names):
        host.stat_metadata[number].name = name
    line = host.lines.add(name="thread")
    for number, operation in ((5, 4), (5, 5), (6, 4), (6, 6)):  # 5 is what 6 was when it was compiled, and 6 is 7
        host.event_metadata[operation].name = names[operation]
        ran = line.events.add(metadata_id=operation, offset_ps=number, duration_ps=1)
        ran.stats.add(metadata_id=0, ref_value=operation)
        ran.stats.add(metadata_id=1, ref_value=3)
        ran.stats.add(metadata_id=2, int64_value=number)
    scopes = Counter((each.name, each.scope) for each in events_of(space.SerializeToString()))
    assert scopes == Counter(
        [
            ("fusion.1", "jit(a)/convolution"),
            ("fusion.2", "jit(a)/convolution"),
            ("fusion.1", "jit(b)/dot"),
            ("fusion.3", "jit(b)/dot"),
        ]
    )


def test_kinds_add_up_to_the_time_in_which_threads_are_busy(tensorflow_events: list[Event]) -> None:
    summary = summarize(tensorflow_events, {}, STEPS, 2.0, 1.0)
    computing = [each for each in tensorflow_events if each.category in ("operation", "scheduling")]
    threads = {each.thread for each in computing}
    expected = sum(covered([each for each in computing if each.thread == thread]) for thread in threads)
    assert sum(part.milliseconds for part in summary.kinds) * STEPS / 1000 == pytest.approx(expected)
    assert sum(summary.threads.values()) * 2.0 == pytest.approx(expected)
    assert sum(part.share for part in summary.kinds) == pytest.approx(1)


def test_the_trace_is_one_that_perfetto_opens(tensorflow_events: list[Event], tmp_path: Path) -> None:
    write_trace(tensorflow_events, tmp_path / "trace.json.gz")
    trace = json.loads(gzip.decompress((tmp_path / "trace.json.gz").read_bytes()))
    entries = trace["traceEvents"]
    complete = [each for each in entries if each["ph"] == "X"]
    processes = {each["pid"] for each in entries if each["name"] == "process_name"}
    threads = {(each["pid"], each["tid"]) for each in entries if each["name"] == "thread_name"}
    assert len(complete) == len(tensorflow_events) > 0
    for each in complete:
        assert set(each) == {"ph", "name", "cat", "pid", "tid", "ts", "dur", "args"}
        assert each["pid"] in processes
        assert (each["pid"], each["tid"]) in threads
        assert each["ts"] >= 0
        assert each["dur"] > 0
    assert sum(each["dur"] for each in complete) == pytest.approx(sum(each.seconds for each in tensorflow_events) * 1e6)


def test_the_summary_fits_the_screen_and_loses_no_time(tensorflow_events: list[Event]) -> None:
    summary = summarize(tensorflow_events, {f"phase {number}": 0.1 for number in range(9)}, STEPS, 0.9, 1.0)
    kinds = [Part(f"kind {number}", 1.0, 1 / 20, 2.0) for number in range(20)]
    slowest = [replace(part, name="scope/" * 40 + part.name) for part in summary.slowest]
    lines = shown(replace(summary, kinds=kinds, slowest=slowest)).splitlines()
    assert len(lines) == SCREEN[0]
    assert max(map(len, lines)) <= SCREEN[1]
    operations = next(index for index, line in enumerate(lines) if line.startswith("operations"))
    shares = [line.split()[-1] for line in lines[2:operations]]
    assert sum(float(share.removesuffix("%")) for share in shares) == pytest.approx(100, abs=0.5)
    busy = next(index for index, line in enumerate(lines) if line.startswith("busy"))
    assert sum(float(line.split()[-3]) for line in lines[operations + 1 : busy]) == pytest.approx(20)


def test_phases_add_up_to_all_the_time_that_passed() -> None:
    clock = Clock()
    phases = Phases(clock)
    phases.begin()
    clock.wait(1)
    with phases.timing("discriminator updates"):
        clock.wait(2)
        with phases.timing("batches"):
            clock.wait(4)
        clock.wait(8)
    with suppress(ZooError), phases.timing("checkpoints"):
        clock.wait(16)
        raise ZooError("the disk is full")
    clock.wait(32)
    assert phases.end() == {"discriminator updates": 10, "batches": 4, "checkpoints": 16, EVERYTHING_ELSE: 33}


def test_phases_that_are_not_measured_read_no_clock() -> None:
    def clock() -> float:
        raise AssertionError("read")

    phases = Phases(clock)
    with phases.timing("batches"), phases.timing("metrics"):
        pass
    assert phases.seconds == {}


class FakeRecorder:
    """A recorder that records nothing but whether it was on."""

    def __init__(self) -> None:
        self.on = False

    @contextmanager
    def traced(self, folder: Path) -> Iterator[None]:
        self.on = True
        folder.mkdir()
        yield
        self.on = False

    def trace_events(self, folder: Path) -> list[Event]:
        return [event("Conv2D", 0, 0.5)]


def training(phases: Phases, clock: Clock, recorder: FakeRecorder, steps: int, seconds: float) -> Callable[[], int]:
    """Steps of that many seconds, the first of which takes a minute longer; fails where that one is traced."""
    left = iter(range(steps))

    def advance() -> int:
        step = next(left, None)
        if step is None:
            return 0
        assert not (step < 3 and recorder.on)
        with phases.timing("updates"):
            clock.wait(seconds + 60 * (step == 0))
        return 1

    return advance


@pytest.mark.parametrize(("seconds", "traced"), [(0.01, 20), (1.5, 4), (30.0, 1)])
def test_a_profile_traces_a_few_steps_and_not_the_first(seconds: float, traced: int, tmp_path: Path) -> None:
    clock, recorder = Clock(), FakeRecorder()
    phases = Phases(clock)
    folder = tmp_path / "profile"
    text = profile_steps(training(phases, clock, recorder, 1000, seconds), recorder, phases, folder)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["steps"] == traced
    assert summary["milliseconds"] == pytest.approx(seconds * 1000)
    assert summary["unprofiled_milliseconds"] == pytest.approx(seconds * 1000)
    assert {part["name"]: part["share"] for part in summary["phases"]} == {
        "updates": pytest.approx(1),
        EVERYTHING_ELSE: 0,
    }
    assert (folder / "summary.txt").read_text() == f"{text}\n"
    assert (folder / "trace.json.gz").exists()


@pytest.mark.parametrize("steps", [0, 2, 5, 13])
def test_training_that_ends_before_a_step_is_traced_is_an_error(steps: int, tmp_path: Path) -> None:
    clock, recorder = Clock(), FakeRecorder()
    phases = Phases(clock)
    with pytest.raises(ZooError, match=r"before a step could be profiled.*--steps 33"):
        profile_steps(training(phases, clock, recorder, steps, 0.01), recorder, phases, tmp_path / "profile")
