"""The report of the data benchmark in Markdown."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.common.tables import table

Rounds = Sequence[Mapping[str, float]]

WAYS = {
    "zoo": "zoo, of TFDS' records, written to disk",
    "tfds_decode": "(a) TFDS decodes, nothing else",
    "tfds_resize": "(b) TFDS decodes, a map crops and resizes, nothing written",
    "zoo_folder": "zoo, of a folder of the same files, written to disk",
    "zoo_zip": "zoo, of a zip of them, written to disk",
    "zoo_batches": "zoo, from the prepared array",
    "tf_records": "tf.data, from TFDS' records in each epoch",
    "tf_array": "tf.data, from the prepared array in memory",
}
PEERS = {"(a)": "tfds_decode", "(b)": "tfds_resize"}
BATCH = 64
QUIET = 0.5  # load average up to which a machine counts as idle
BUSY = " **It was shared with other work, which makes times longer and unsteady.**"


def markdown(report: Mapping[str, Any]) -> str:
    """The report of the parts that are measured so far."""
    sections = {
        "preparing": preparing, "batches": batches, "training": training, "memory": memory, "arrays": arrays,
    }  # fmt: skip
    return "\n\n".join([heading(report), *(write(report) for part, write in sections.items() if part in report)]) + "\n"


def heading(report: Mapping[str, Any]) -> str:
    """The section on command, machine, date and versions."""
    machine = ", ".join(f"{name} {value}" for name, value in report["machine"].items() if value)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report["versions"].items()))
    shared = BUSY if report["load"]["before"] > QUIET else ""
    load = ", ".join(f"{value:.1f} {when}" for when, value in report["load"].items())
    return (
        f"# Data\n\n`{report['command']}`\n\n{report['date']}, commit {report['commit']}. {machine}.\n{versions}.\n"
        f"Load of the machine: {load}.{shared}\n\nMedians of interleaved rounds, each in a fresh process. "
        "*CPU* is what all threads of the process computed; other work on the machine lengthens it little."
    )


def preparing(report: Mapping[str, Any]) -> str:
    """The section on preparation: images/s, and ratios to the peers'."""
    found, given = report["preparing"], report["given"]
    header = ["", "images/s", "min to max", "CPU, ms/image", *PEERS]
    rows = [
        [*row(way, found[way]), *(f"{ratio(found[way], found[peer]):.2f}" for peer in PEERS.values())] for way in found
    ]
    text = (
        f"{given['images']:,} JPEG files of 218 x 178 pixels and {given['bytes_of_a_file'] / 1000:.1f} kB, the centre "
        "of 140 pixels to 64. The zoo also hashes and writes what it resized. *(a)* and *(b)*: images/s in units of "
        "theirs."
    )
    return f"## Preparing\n\n{text}\n\n{table(header, rows)}"


def batches(report: Mapping[str, Any]) -> str:
    """The section on batches: images/s of shuffled batches, and milliseconds a batch."""
    found = report["batches"]
    rows = [[*row(way, found[way]), f"{1000 * BATCH / speed(found[way]):.2f}"] for way in found]
    header = ["", "images/s", "min to max", "CPU, ms/image", "ms/batch"]
    return f"## Shuffled batches of {BATCH}, 64 x 64 x 3\n\n{table(header, rows)}"


def training(report: Mapping[str, Any]) -> str:
    """The section on the share of a training step that making its batch takes."""
    found = report["training"]
    step, batch = (median(each[name] for each in found["rounds"]) for name in ("step_seconds", "batch_seconds"))
    share = median(each["batch_seconds"] / each["step_seconds"] for each in found["rounds"])
    read = BATCH / speed(report["batches"]["tf_records"])
    rows = [[f"{1000 * step:,.1f}", f"{1000 * batch:.2f}", f"{share:.2%}", f"{read / step:.0%}"]]
    header = ["step, ms", "batch and seeds, ms", "share", "as much, of TFDS' records"]
    text = (
        f"Steps of `zoo run dcgan --set width={found['width']} --set batch_size={BATCH}` on TensorFlow in float32, "
        f"{found['policy']}; median of {len(found['rounds'])} rounds of {found['steps']} steps. The last column is "
        "what tf.data takes to read such a batch from TFDS' records, over the step."
    )
    return f"## Share of a training step\n\n{text}\n\n{table(header, rows)}"


def memory(report: Mapping[str, Any]) -> str:
    """The section on memory: peaks of preparation over those of a process that only imports."""
    text = (
        "Peaks of the preparing process less those of one that only imports TensorFlow, TFDS and the zoo. *anonymous* "
        "is memory of its own (RssAnon), *resident* includes pages of files that are mapped (VmHWM), *prepared* is the "
        "array on disk. TensorFlow reads each of TFDS' files, of which there are few, through a buffer of 8 MiB."
    )
    return f"## Memory while preparing\n\n{text}\n\n{table(MEMORY_HEADER, growth(report['memory']))}"


def arrays(report: Mapping[str, Any]) -> str:
    """The section on the memory of preparing large array files."""
    large = max(each.get("unpacked_bytes", 0) for each in report["arrays"].values())
    text = f"The same without TensorFlow, for an array of {large / 2**20:,.0f} MiB."
    return f"## Memory while preparing a large .npz\n\n{text}\n\n{table(MEMORY_HEADER, growth(report['arrays']))}"


MEMORY_HEADER = ["", "anonymous, MiB", "resident, MiB", "prepared, MiB", "seconds"]


def growth(found: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """A row for each; the first is the baseline, which is subtracted from the others."""
    (name, base), *others = found.items()
    first = [f"{name} (all of it)", *(f"{base[field] / 2**20:,.0f}" for field in FIELDS), "", ""]
    rows = [
        [
            name,
            *(f"{(each[field] - base[field]) / 2**20:+,.0f}" for field in FIELDS),
            f"{each['prepared'] / 2**20:,.0f}",
            f"{each['seconds']:.1f}",
        ]
        for name, each in others
    ]
    return [first, *rows]


FIELDS = ("anonymous", "resident")


def row(way: str, rounds: Rounds) -> list[str]:
    """A row of name, images/s, their range, and CPU time."""
    speeds = [each["images"] / each["seconds"] for each in rounds]
    busy = median(each["cpu_seconds"] / each["images"] for each in rounds)
    return [WAYS[way], f"{median(speeds):,.0f}", f"{min(speeds):,.0f} to {max(speeds):,.0f}", f"{1000 * busy:.3f}"]


def speed(rounds: Rounds) -> float:
    """The median of images/s."""
    return median(each["images"] / each["seconds"] for each in rounds)


def ratio(ours: Rounds, theirs: Rounds) -> float:
    """The ratio of two speeds as text, such as `1.7 x`."""
    return speed(ours) / speed(theirs)
