from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from zoo.catalogue import Catalogue, read_catalogue
from zoo.errors import ZooError

Reader = Callable[[str], Catalogue]

ORIGIN_NEEDED = (
    "needs exactly one of 'tfds: builder_name', 'points: set_name', 'embedded: set_name', 'stacked: mnist', "
    "'path: ./faces', 'reference: name_at_its_source'."
)
CASES = {
    "an unknown section": (
        "plugin: {}\n",
        [
            "1: unknown key 'plugin'. Did you mean 'plugins'? Available: benchmarks, datasets, executors, extractors, "
            "listeners, metrics, plugins, sources, variants."
        ],
    ),
    "an unknown key of a plugin": (
        "plugins:\n  a:\n    modul: x\n",
        ["3: unknown key 'modul' in 'a'. Did you mean 'module'? Available: file, module."],
    ),
    "an unknown key of a variant": (
        "plugins: {a: {module: x}}\nvariants:\n  v:\n    plugins: [a]\n    receipt: {}\n",
        [
            "5: unknown key 'receipt' in 'v'. Did you mean 'recipe'? Available: datasets, plugins, recipe, "
            "suggested_for, summary."
        ],
    ),
    "an unknown field of a dataset": (
        "datasets:\n  d:\n    tfds: mnist\n    colour: 3\n",
        [
            "4: unknown key 'colour' in 'd'. Available: channels, crop, embedded, epochs, extractor, folders, "
            "image_key, image_size, label_key, layout, license, path, points, reference, source, source_from, "
            "source_order, source_size, stacked, summary, test, tfds, train, values."
        ],
    ),
    "no mapping at the top": (
        "- a\n",
        [
            "1: the file must be a mapping of 'plugins', 'variants', 'datasets', 'metrics', 'extractors', 'sources', "
            "'executors', 'listeners', 'benchmarks', but is a list."
        ],
    ),
    "a benchmark without a dataset": (
        "benchmarks:\n  b: {steps: 3}\n",
        ["2: benchmark 'b' needs a list of at least one dataset, such as 'datasets: [mnist]'."],
    ),
    "a benchmark with two budgets": (
        "datasets: {d: {tfds: mnist}}\nbenchmarks:\n  b: {datasets: [d], steps: 3, epochs: 1}\n",
        ["3: benchmark 'b' needs exactly one budget of images, epochs, steps, minutes."],
    ),
    "a benchmark without seeds": (
        "datasets: {d: {tfds: mnist}}\nbenchmarks:\n  b:\n    datasets: [d]\n    steps: 3\n    seeds: 0\n",
        ["6: 'seeds' must be at least 1, but is 0."],
    ),
    "a benchmark of a dataset that there is not": (
        "datasets: {mnist: {tfds: mnist}}\nbenchmarks:\n  b: {datasets: [mnits], steps: 3}\n",
        ["3: benchmark 'b': Unknown dataset: 'mnits'. Did you mean 'mnist'? Available: mnist."],
    ),
    "a benchmark of a stack that there is not": (
        "datasets: {d: {tfds: mnist}}\nbenchmarks:\n  b:\n    datasets: [d]\n    steps: 3\n    variants: [7]\n",
        ["6: an entry of 'variants' must be text, but is a whole number."],
    ),
    "a section that is a list": ("plugins: [a]\n", ["1: 'plugins' must be a mapping, but is a list."]),
    "an entry that is text": (
        "plugins:\n  a: x\n",
        ["2: 'a' must be a mapping of 'module', 'file', but is text."],
    ),
    "a plugin with neither module nor file": (
        "plugins:\n  a:\n",
        ["2: plugin 'a' needs either 'module: package.module' or 'file: plugin.py'."],
    ),
    "a plugin with both module and file": (
        "plugins:\n  a: {module: x, file: x.py}\n",
        ["2: plugin 'a' needs either 'module: package.module' or 'file: plugin.py'."],
    ),
    "a module that cannot be one": (
        "plugins:\n  a: {module: my-plugin.py}\n",
        ["2: 'my-plugin.py' is no module's name, such as package.module."],
    ),
    "a name that cannot stand in a stack": (
        "plugins:\n  a+b: {module: x}\n",
        ["2: 'a+b' cannot be a name: a name is letters, digits, '-', '_' and '.', and begins with a letter or digit."],
    ),
    "a variant without plugins": (
        "variants:\n  v:\n    summary: x\n",
        ["2: variant 'v' needs a list of at least one plugin, such as 'plugins: [my_gan]'."],
    ),
    "a variant with an empty list": (
        "variants:\n  v:\n    plugins: []\n",
        ["3: variant 'v' needs a list of at least one plugin, such as 'plugins: [my_gan]'."],
    ),
    "plugins that are text": (
        "plugins: {a: {module: x}}\nvariants:\n  v:\n    plugins: a\n",
        ["4: 'plugins' must be a list, but is text."],
    ),
    "a plugin's name that is a number": (
        "variants:\n  v:\n    plugins: [3]\n",
        ["3: a plugin's name must be text, but is a whole number."],
    ),
    "an unknown plugin": (
        "plugins: {dcgan: {module: x}, wgan: {module: y}}\nvariants:\n  v:\n    plugins:\n    - dcgna\n",
        ["5: variant 'v': Unknown plugin: 'dcgna'. Did you mean 'dcgan'? Available: dcgan, wgan."],
    ),
    "a plugin twice in a variant": (
        "plugins: {a_b: {module: x}}\nvariants:\n  v:\n    plugins: [a_b, a-b]\n",
        ["4: variant 'v' has the plugin 'a_b' twice. Remove one of the two."],
    ),
    "a summary that is a number": (
        "plugins: {a: {module: x}}\nvariants:\n  v: {plugins: [a], summary: 3}\n",
        ["3: 'summary' must be text, but is a whole number."],
    ),
    "a recipe that is a list": (
        "plugins: {a: {module: x}}\nvariants:\n  v: {plugins: [a], recipe: [width]}\n",
        ["3: 'recipe' must be a mapping, but is a list."],
    ),
    "a recipe value that is a mapping": (
        "plugins: {a: {module: x}}\nvariants:\n  v:\n    plugins: [a]\n    recipe:\n      width: {images: 64}\n",
        ["6: 'width' must be text, a number, true, false or a list of those."],
    ),
    "overrides of an unknown dataset": (
        "plugins: {a: {module: x}}\ndatasets: {mnist: {tfds: mnist}}\n"
        "variants:\n  v:\n    plugins: [a]\n    datasets:\n      minst: {width: 3}\n",
        ["7: variant 'v': Unknown dataset: 'minst'. Did you mean 'mnist'? Available: mnist."],
    ),
    "overrides that are no mapping": (
        "plugins: {a: {module: x}}\ndatasets: {d: {tfds: d}}\n"
        "variants:\n  v:\n    plugins: [a]\n    datasets:\n      d: 3\n",
        ["7: 'd' must be a mapping of recipe fields to values, but is a whole number."],
    ),
    "a dataset that is neither": (
        "datasets:\n  d: {}\n",
        [f"2: dataset 'd' {ORIGIN_NEEDED}"],
    ),
    "a count of channels that no image has": (
        "datasets:\n  d:\n    tfds: a\n    channels: 2\n",
        ["4: 'channels' must be 1, 3 or 4, but is 2."],
    ),
    "a dataset that is both": (
        "datasets:\n  d: {tfds: a, points: b}\n",
        [f"2: dataset 'd' {ORIGIN_NEEDED}"],
    ),
    "a reference without its source": (
        "datasets:\n  d: {reference: x}\n",
        ["2: dataset 'd': 'source: name' stands beside 'reference', which needs it, or 'path'."],
    ),
    "a source beside an origin that is one": (
        "sources: {csv: {module: x}}\ndatasets:\n  d: {tfds: x, source: csv}\n",
        ["3: dataset 'd': 'source: name' stands beside 'reference', which needs it, or 'path'."],
    ),
    "a source that there is not": (
        "sources: {csv: {module: x}}\ndatasets:\n  d:\n    source: cvs\n    reference: x\n",
        ["4: dataset 'd': Unknown source: 'cvs'. Did you mean 'csv'? Available: csv."],
    ),
    "a metric with neither module nor file": (
        "metrics:\n  m:\n    summary: x\n",
        ["2: metric 'm' needs either 'module: package.module' or 'file: metric.py'."],
    ),
    "a crop of points": (
        "datasets:\n  d:\n    points: ring8\n    crop: 3\n",
        ["4: 'crop' means nothing for a set of points. Remove it."],
    ),
    "no pixels": (
        "datasets:\n  d:\n    tfds: a\n    image_size: 0\n",
        ["4: 'image_size' must be at least 1 pixel, but is 0."],
    ),
    "a crop that is true": (
        "datasets:\n  d:\n    tfds: a\n    crop: true\n",
        ["4: 'crop' must be a whole number or text, but is true or false."],
    ),
    "no epochs": (
        "datasets:\n  d:\n    tfds: a\n    epochs: 0\n",
        ["4: 'epochs' must be at least 1, but is 0."],
    ),
    "a refused tag, said once": (
        "datasets:\n  d:\n    tfds: !!binary aGk=\n",
        [
            "3: the tag 'tag:yaml.org,2002:binary' is refused. "
            "Write plain text, numbers, true, false, lists and mappings."
        ],
    ),
    "plugins whose names differ in their dashes alone": (
        "plugins:\n  a-b: {module: x}\n  a_b: {module: y}\n",
        [
            "Plugin 'a_b' is defined twice (as 'a-b' and 'a_b', where '-' and '_' are the same): "
            "in registry.yaml:2 and in registry.yaml:3. Rename one of them."
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_in_the_registry_is_named_with_its_line(case: str, shipped: Reader) -> None:
    text, errors = CASES[case]
    expected = [f"registry.yaml:{error}" if error[0].isdigit() else error for error in errors]
    with pytest.raises(ZooError) as raised:
        shipped(text)
    assert str(raised.value).splitlines() == expected


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(shipped: Reader) -> None:
    text = """\
        plugins:
          a: {module: x}
          a: {module: y}
          b: {}
        variants:
          v: {plugins: [c], recipe: 3}
          w: {plugins: [b]}
        datasets:
          d: {tfds: x, crp: 3}
        networks: {}
        """
    with pytest.raises(ZooError) as raised:
        shipped(dedent(text))
    assert str(raised.value).splitlines() == [
        "registry.yaml:3: 'a' stands twice; first in line 2. Remove one.",
        "registry.yaml:4: plugin 'b' needs either 'module: package.module' or 'file: plugin.py'.",
        "registry.yaml:6: 'recipe' must be a mapping, but is a whole number.",
        "registry.yaml:6: variant 'v': Unknown plugin: 'c'. Available: a, b.",
        "registry.yaml:9: unknown key 'crp' in 'd'. Did you mean 'crop'? Available: channels, crop, embedded, epochs, "
        "extractor, folders, image_key, image_size, label_key, layout, license, path, points, reference, source, "
        "source_from, source_order, source_size, stacked, summary, test, tfds, train, values.",
        "registry.yaml:10: unknown key 'networks'. Available: benchmarks, datasets, executors, extractors, listeners, "
        "metrics, plugins, sources, variants.",
    ]


def test_an_empty_registry_and_empty_sections_are_fine(shipped: Reader) -> None:
    assert shipped("") == Catalogue()
    assert shipped("plugins:\nvariants: {}\n") == Catalogue()


def test_a_registry_that_is_not_utf8_is_refused(shipped: Reader, tmp_path: Path) -> None:
    shipped("")
    (tmp_path / "registry.yaml").write_bytes(b"plugins: \xff\n")
    with pytest.raises(ZooError, match=r"^Cannot read \./registry\.yaml: it is not UTF-8 text"):
        read_catalogue()


def test_an_override_has_its_line_and_a_field_without_one_the_variants(shipped: Reader) -> None:
    text = """\
        plugins: {a: {module: x}}
        datasets: {d: {tfds: d}}
        variants:
          v:
            plugins: [a]
            recipe:
              width: 64
            datasets:
              d:
                width: 2e-4
        """
    catalogue = shipped(dedent(text))
    assert catalogue.variants["v"].recipe == {"width": 64}
    assert catalogue.variants["v"].datasets == {"d": {"width": 0.0002}}
    assert catalogue.location("v", "width") == "registry.yaml:7"
    assert catalogue.location("v", "width", "d") == "registry.yaml:10"
    assert catalogue.location("v", "depth") == "registry.yaml:4"
