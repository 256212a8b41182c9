"""The output of `zoo data` as text, from the data that `--json` prints."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

GIGABYTE, MEGABYTE, KILOBYTE = 10**9, 10**6, 10**3
MOST_CLASSES = 20  # with more classes than that, only their number is printed


def size_text(count: int) -> str:
    """`2.4 GB`, `31 MB`."""
    if count >= GIGABYTE:
        return f"{count / GIGABYTE:.1f} GB"
    return f"{count / MEGABYTE:.0f} MB" if count >= MEGABYTE else f"{count / KILOBYTE:.0f} kB"


def listed(report: Mapping[str, Any]) -> str:
    """The known datasets with their prepared sets, then other prepared sets, then damaged and interrupted folders."""
    width = max((len(each["name"]) for each in report["known"]), default=0)
    lines = [f"data directory  {report['data_directory']}", "", "known"]
    for each in report["known"]:
        lines.append(f"  {each['name']:<{width}}  {each['summary']}")
        lines += [prepared_line(one) for one in each["prepared"]]
    if report["others"]:
        lines += ["", "prepared besides"]
        for one in report["others"]:
            lines += [f"  {one['name']}", prepared_line(one)]
    for title, key in (("damaged, or of another version", "unreadable"), ("interrupted or at work", "interrupted")):
        if report[key]:
            lines += ["", f"{title} (zoo data remove --interrupted)"]
            lines += [f"  {size_text(each['bytes']):>8}  {each['folder']}" for each in report[key]]
    if not any(each["prepared"] for each in report["known"]) and not report["others"]:
        lines += ["", "Nothing is prepared yet: zoo data prepare fashion_mini"]
    return "\n".join(lines)


def prepared_line(one: Mapping[str, Any]) -> str:
    """A prepared set in two lines: size and summary, then its folder."""
    return f"    * {size_text(one['bytes']):>7}  {one['summary']}\n               {one['folder']}"


def prepared_lines(report: Sequence[Mapping[str, Any]], place: Sequence[str] = (), reading: Sequence[str] = ()) -> str:
    """The prepared sets, and the commands to run next, with the words that say where datasets live and how to read."""
    lines = ["\n  ".join([each["summary"], *each["reading"], each["folder"]]) for each in report]
    name, split = report[0]["name"], report[0]["split"]
    words = [*place, *reading, *([] if split in ("train", "test") else ["--split", split])]
    shown = shlex.join(["zoo", "data", "info", name, *place])
    return "\n".join([*lines, "Next:", f"  {shown}", f"  {training(report[0], words)}"])


def training(report: Mapping[str, Any], words: Sequence[str] = ()) -> str:
    """A command that trains on a dataset, with the variant that the catalogue suggests for its kind of data."""
    from zoo.catalogue import read_catalogue

    variant = next(iter(read_catalogue().suggestions(report["kind"])), "VARIANT")
    return shlex.join(["zoo", "run", variant, "--dataset", report["name"], *words])


def info_lines(report: Sequence[Mapping[str, Any]]) -> str:
    """The facts of every prepared set of a dataset."""
    return "\n\n".join("\n".join(_info(each)) for each in report)


def _unprepared(each: Mapping[str, Any]) -> list[str]:
    """What lies at a path of which nothing is prepared yet, and the commands that use it."""
    facts: dict[str, Any] = {
        "from": each["source"],
        "samples": ", ".join(f"{count:,} in {split}" for split, count in each["splits"].items()),
        "shape": tuple(each["sample_shape"]),
        "read": "; ".join(each["reading"]),
        "labels": each["label"],
        "classes": ", ".join(each["class_names"][:MOST_CLASSES]),
    }
    lines = [f"  {name:<10}{value}" for name, value in facts.items() if value]
    following = [f"  zoo data prepare {shlex.quote(each['name'])}", f"  {training(each)}"]
    return [f"{each['name']}: not prepared yet", *lines, "Next:", *following]


def _info(each: Mapping[str, Any]) -> list[str]:
    if not each.get("prepared", True):
        return _unprepared(each)
    facts: dict[str, Any] = {
        "samples": f"{each['count']:,} of shape {tuple(each['sample_shape'])}, {size_text(each['bytes'])}",
        "from": each["description"]["source"],
        "rows": ", ".join(_rows(part) for part in each["description"]["rows"]),
        "division": _division(each["description"]["division"]),
        "crop": each["options"]["crop"] and _crop(each["options"]["crop"]),
        "read": "; ".join(each["reading"]),
        "labels": each["options"]["label"],
        "classes": _classes(each["class_counts"]),
        "mean": " ".join(map(str, each["mean"])),
        "deviation": " ".join(map(str, each["deviation"])),
        # Sets from before there was such a reading say this alone.
        "left out": "" if each["reading"] else ", ".join(each["skipped"]["first"]),
        "differs": "; ".join(each["description"].get("differences", [])),
        "imported": each["imported"],
        "sha256": each["fingerprint"],
        "folder": each["folder"],
        "picture": each["contact_sheet"],
    }
    return [f"{each['name']}: {each['split']}", *(f"  {name:<10}{value}" for name, value in facts.items() if value)]


def _crop(crop: int | str) -> str:
    return f"{crop} px, centre" if isinstance(crop, int) else crop


def _rows(part: Mapping[str, Any]) -> str:
    which = f"rows {part['range'][0]:,} to {part['range'][1] - 1:,}" if part["range"] else f"{part['count']:,} rows"
    return f"{which} of {part['split']}"


def _division(rule: Mapping[str, Any] | None) -> str:
    if rule is None:
        return ""
    return f"{rule['held_out']:,} rows of '{rule['of']}' are held out as test, drawn with the seed {rule['seed']}"


def _classes(counts: Mapping[str, int] | None) -> str:
    if not counts:
        return ""
    if len(counts) > MOST_CLASSES:
        return f"{len(counts)}, with {min(counts.values()):,} to {max(counts.values()):,} samples each"
    return f"{len(counts)}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items())


def named(each: Mapping[str, Any]) -> str:
    """A set's name, with its summary where there is one."""
    return f"{each['name']}: {each['summary']}" if "summary" in each else each["name"]


def verified_lines(report: Sequence[Mapping[str, Any]]) -> str:
    """A line for each set, and for damaged ones the problem and folder."""
    if not report:
        return "Nothing is prepared."
    return "\n".join(
        f"{'ok     ' if each['problem'] is None else 'DAMAGED'}  {named(each)}"
        + (f"\n         {each['problem']}\n         {each['folder']}" if each["problem"] else "")
        for each in report
    )
