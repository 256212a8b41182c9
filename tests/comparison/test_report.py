"""The report's files, and the statements in them that a reader relies on."""

import copy
import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison_data import TROUBLED, comparison
from PIL import Image

from zoo.base.pictures import grid
from zoo.catalogue import read_catalogue
from zoo.comparison.report import markdown_table, write_report
from zoo.comparison.report.charts.bands import loss_band, score_band
from zoo.comparison.report.html import naming
from zoo.comparison.report.markdown_text import code, escaped
from zoo.comparison.report.published import Published, published_of
from zoo.comparison.report.published import read as read_published
from zoo.comparison.report.reading import Variant, middle_run
from zoo.comparison.report.sample_pictures import as_made, pictures_of
from zoo.comparison.report.tables.outcomes import cost_cells, cost_columns
from zoo.comparison.report.tables.pairs import difference_decimals
from zoo.comparison.report.tables.rank_ranges import mark, open_ranks
from zoo.comparison.report.tables.sides import protocols_of, recipes_of
from zoo.comparison.report.words import count, duration, memory, number, plain, spread

Comparison = dict[str, Any]
FILES = ["report.html", "report.md", "scores.csv", "comparison.json"]
MOST = 2_000_000  # bytes of a page of 5 variants, 2 datasets and 10 seeds
EVIL = "<script>window.bad = 1</script>\"'&|`x`"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    """5 variants, 2 datasets, 10 seeds and pictures, with its folder."""
    folder = tmp_path_factory.mktemp("whole")
    return comparison(datasets=("fashion_mini", "fashion_mnist"), folder=folder), folder


@pytest.fixture(scope="module")
def files(whole: tuple[Comparison, Path]) -> dict[str, str]:
    made, folder = whole
    return {name: path.read_text(encoding="utf-8") for name, path in write_report(made, folder).items()}


@pytest.fixture
def small() -> Comparison:
    """Two variants on points, three seeds, no pictures."""
    return comparison(variants=("vanilla", "wgan"), datasets=("ring8",), seeds=3, columns=2, states={})


@pytest.fixture
def page(tmp_path: Path) -> Callable[[Comparison], str]:
    """The HTML page of a comparison."""
    return lambda made: write_report(made, tmp_path / "made")["report.html"].read_text(encoding="utf-8")


# --- files --------------------------------------------------------------------------------------------------------


def test_four_files_are_written_by_their_names(whole: tuple[Comparison, Path], files: dict[str, str]):
    assert list(files) == FILES
    assert all((whole[1] / name).is_file() for name in FILES)


def test_the_same_comparison_gives_the_same_bytes(small: Comparison, tmp_path: Path):
    first, second = (write_report(small, tmp_path / name) for name in ("one", "two"))
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in FILES)


def test_a_page_of_a_hundred_runs_is_below_two_megabytes(files: dict[str, str]):
    assert files["report.html"].count("data:image/") == 10
    assert len(files["report.html"].encode()) < MOST


def test_the_page_refers_to_nothing_outside_but_in_links(files: dict[str, str]):
    content = files["report.html"]
    assert "default-src 'none'" in content
    assert not re.findall(r'(?:src|srcset|poster|data)="(?!data:image/)[^"]', content)
    assert not re.findall(r"url\((?!#)|@import|<link|<iframe|<object", content)
    assert all(url.startswith(("#", "https://")) for url in re.findall(r'<a [^>]*href="([^"]+)"', content))


def test_the_data_is_written_as_it_came_with_null_for_what_is_not_finite(small: Comparison, tmp_path: Path):
    small["cells"][0]["losses"][-1]["generator_loss"] = float("nan")
    path = write_report(small, tmp_path)["comparison.json"]
    read = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert read["cells"][0]["losses"][-1]["generator_loss"] is None
    small["cells"][0]["losses"][-1]["generator_loss"] = None
    assert read == json.loads(json.dumps(small))


def test_the_csv_has_a_row_for_every_run_and_score_those_that_were_lost_included(
    whole: tuple[Comparison, Path], files: dict[str, str]
):
    rows = list(csv.DictReader(StringIO(files["scores.csv"])))
    made = whole[0]
    assert len(rows) == len(made["cells"]) * len(made["scores"])
    lost = [row for row in rows if row["state"] == "diverged"]
    assert lost
    assert all(row["last_value"] == "" and "nan" in row["reason"] for row in lost)
    cell = made["cells"][0]
    assert float(rows[0]["last_value"]) == cell["last"][rows[0]["score"]]["value"]


# --- what may be missing ------------------------------------------------------------------------------------------


def without_scores(made: Comparison) -> None:
    made.update(scores=[], rankings={}, protocols={})
    for cell in made["cells"]:
        cell.update(last={}, best={}, curve=[])


def with_nothing_in_cells(made: Comparison) -> None:
    for cell in made["cells"]:
        cell.update(last={}, best={}, curve=[], losses=[], cost={}, picture=None, reason="", state="waiting")


def with_none_for_values(made: Comparison) -> None:
    for cell in made["cells"]:
        cell["cost"] = dict.fromkeys(cell["cost"])
        for stage in ("last", "best"):
            cell[stage] = {name: {**score, "value": None, "interval": None} for name, score in cell[stage].items()}
        for point in cell["curve"]:
            point["scores"] = None


def without_a_benchmark(made: Comparison) -> None:
    made.update(benchmark=None, command="", notes=[], machines=[], engines=[], versions={}, recipes={})


def without_a_direction(made: Comparison) -> None:
    made["scores"][1]["better"] = None
    del made["rankings"]["ring8"][made["scores"][1]["name"]]


@pytest.mark.parametrize(
    "change",
    [without_scores, with_nothing_in_cells, with_none_for_values, without_a_benchmark, without_a_direction],
)
def test_a_report_is_made_of_what_there_is(
    change: Callable[[Comparison], None], small: Comparison, page: Callable[[Comparison], str]
):
    change(small)
    content = page(small)
    assert content.count('data-state="') == len(small["cells"])
    assert markdown_table(small).count("\n| ") == 2 + 1


def test_without_a_finished_run_the_page_says_that_nothing_is_ranked(page: Callable[[Comparison], str]):
    waiting = {(label, 0): "waiting" for label in ("vanilla", "wgan")}
    made = comparison(variants=("vanilla", "wgan"), datasets=("ring8",), seeds=1, states=waiting)
    content = page(made)
    assert "nothing is ranked" in content
    assert '<span class="mark">' not in content


def test_one_variant_with_one_seed_has_no_rank_and_no_mark(page: Callable[[Comparison], str]):
    made = comparison(variants=("dcgan",), datasets=("ring8",), seeds=1, states={})
    content = page(made)
    assert '<span class="mark">' not in content
    assert markdown_table(made).splitlines()[2].startswith("| – | `dcgan` | 7")


def test_a_run_that_stopped_is_counted_as_unfinished(small: Comparison):
    small["cells"][0]["state"] = "stopped"
    assert "2 of 3: 1 unfinished" in markdown_table(small)


# --- what the statistics support ----------------------------------------------------------------------------------


def ranking_of(*verdicts: tuple[str, str, str], leaders: list[str]) -> dict[str, Any]:
    differences = [{"one": one, "other": other, "verdict": verdict} for one, verdict, other in verdicts]
    return {
        "differences": differences,
        "leaders": leaders,
        "summaries": {
            name: {"mean": 1.0} for name in sorted({name for one, _, other in verdicts for name in (one, other)})
        },
    }


def test_a_variant_that_beats_all_others_is_marked_as_best():
    ranking = ranking_of(("a", "better", "b"), ("a", "better", "c"), ("b", "undecided", "c"), leaders=["a"])
    assert [mark(ranking, name) for name in "abc"] == ["best", "", ""]


def test_variants_that_do_not_differ_significantly_are_marked_as_tied():
    ranking = ranking_of(("a", "undecided", "b"), ("a", "better", "c"), ("b", "better", "c"), leaders=["a", "b"])
    assert [mark(ranking, name) for name in "abc"] == ["tied for best", "tied for best", ""]


@pytest.mark.parametrize("verdict", ["undecided", "too few seeds"])
def test_nothing_is_marked_where_no_comparison_is_decided(verdict: str):
    ranking = ranking_of(("a", verdict, "b"), leaders=["a", "b"])
    assert mark(ranking, "a") == mark(ranking, "b") == ""


def test_leaders_with_too_few_seeds_for_a_difference_are_not_called_tied():
    ranking = ranking_of(("a", "too few seeds", "b"), ("a", "better", "c"), ("b", "better", "c"), leaders=["a", "b"])
    assert mark(ranking, "a") == ""


def test_a_leader_that_another_leader_beats_is_not_marked():
    ranking = ranking_of(
        ("a", "undecided", "b"), ("a", "undecided", "c"), ("b", "better", "c"), leaders=["a", "b", "c"]
    )
    assert [mark(ranking, name) for name in "abc"] == ["tied for best", "tied for best", ""]


def test_a_rank_is_what_the_comparisons_leave_open():
    ranking = ranking_of(("a", "undecided", "b"), ("a", "better", "c"), ("b", "undecided", "c"), leaders=["a", "b"])
    ranks = open_ranks({"rankings": {"d": {"s": {"last": ranking}}}}, "d", [{"name": "s"}])
    assert ranks == {"a": (1, 2), "b": (1, 3), "c": (2, 3)}


def test_rows_stand_in_the_order_of_ranks_not_of_means_alone(small: Comparison):
    rows = markdown_table(small).splitlines()[2:]
    assert "`wgan`" in rows[0]
    ranking = small["rankings"]["ring8"]["modes"]["last"]
    ranking["differences"] = [
        {"one": "vanilla", "other": "wgan", "verdict": "better", "difference": 1.0, "interval": None}
    ]
    assert "`vanilla`" in markdown_table(small).splitlines()[2]


def test_costs_are_medians_of_finished_runs_and_memory_is_the_largest_peak():
    cells = [
        {"state": state, "cost": {"images": images, "seconds": 60.0, "peak_memory": peak}}
        for state, images, peak in (("done", 100, 2**20), ("done", 300, 3 * 2**20), ("diverged", 7, 9 * 2**20))
    ]
    columns = cost_columns([cells])
    found = {column.title: cell.text for column, cell in zip(columns, cost_cells(cells, columns), strict=True)}
    assert found["images"] == "200"
    assert found["peak memory"] == "3 MiB"
    assert found["images/s"] == "–"
    assert "device memory" not in found


# --- curves -------------------------------------------------------------------------------------------------------


def run_of(*points: tuple[int, float | None], state: str = "done") -> dict[str, Any]:
    curve = [{"images": images, "seconds": images / 10, "scores": {"kid": value}} for images, value in points]
    losses = [{"images": images, "discriminator_loss": value} for images, value in points]
    return {"state": state, "curve": curve, "losses": losses}


def test_a_band_is_the_mean_and_the_range_of_the_seeds_that_got_so_far():
    cells = [run_of((100, 4.0), (200, 2.0)), run_of((100, 8.0), (200, 4.0)), run_of((100, 9.0), state="diverged")]
    band = score_band(Variant(0, "a"), cells, "kid", "images")
    assert band is not None
    assert band.places.tolist() == [100, 200]
    assert band.means.tolist() == [7.0, 3.0]
    assert (band.lowest.tolist(), band.highest.tolist()) == ([4.0, 2.0], [9.0, 4.0])
    assert band.runs.tolist() == [3, 2]
    assert band.cut == [(100.0, 9.0)]


def test_evaluations_without_a_value_are_left_out_of_a_band():
    band = score_band(Variant(0, "a"), [run_of((100, None), (200, 2.0)), run_of((100, float("nan")))], "kid", "seconds")
    assert band is not None
    assert (band.places.tolist(), band.means.tolist()) == ([20.0], [2.0])
    assert score_band(Variant(0, "a"), [run_of((100, None))], "kid", "images") is None


def test_losses_lie_on_straight_lines_between_records_and_end_where_a_run_ends():
    band = loss_band(
        Variant(0, "a"), [run_of((0, 0.0), (990, 99.0)), run_of((0, 10.0), (495, 10.0))], "discriminator_loss"
    )
    assert band is not None
    np.testing.assert_allclose(band.highest[[0, 10, 99]], [10.0, 10.0, 99.0])
    np.testing.assert_allclose(band.means[[0, 10, 99]], [5.0, 10.0, 99.0])
    assert band.runs[[0, 99]].tolist() == [2, 1]


# --- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "seed"), [([3.0, 1.0, 2.0], 2), ([4.0, 1.0, 2.0, 3.0], 2), ([5.0], 0)])
def test_the_picture_is_of_the_run_in_the_middle(values: list[float], seed: int):
    cells = [{"seed": number, "last": {"kid": {"value": value}}} for number, value in enumerate(values)]
    assert middle_run(cells, "kid")[0]["seed"] == seed


def test_a_variant_without_a_score_shows_its_first_run_and_says_so():
    cell, why = middle_run([{"seed": 4, "last": {}}], "kid")
    assert (cell["seed"], why) == (4, "no run has a last kid")


def test_a_picture_that_is_missing_or_damaged_is_left_out(tmp_path: Path):
    made = comparison(variants=("vanilla", "wgan"), datasets=("ring8",), seeds=1, states={}, folder=tmp_path)
    (tmp_path / made["cells"][0]["picture"]).write_bytes(b"\x89PNG\r\n\x1a\nno more")
    assert [picture.variant.label for picture in pictures_of(made, "ring8", tmp_path)] == ["wgan"]
    (tmp_path / made["cells"][1]["picture"]).unlink()
    assert pictures_of(made, "ring8", tmp_path) == []


def test_a_grid_that_was_enlarged_by_a_whole_factor_is_embedded_as_it_was_made():
    images = np.random.default_rng(0).integers(0, 256, (64, 28, 28, 1), dtype=np.uint8)
    enlarged = grid(images)
    assert (enlarged.size, as_made(enlarged).size) == ((484, 484), (242, 242))
    assert as_made(enlarged).resize(enlarged.size, Image.Resampling.NEAREST).tobytes() == enlarged.tobytes()


# --- recipes, protocols, published numbers ------------------------------------------------------------------------


def test_fields_that_differ_stand_first_and_a_value_from_elsewhere_does_not_differ():
    def recipe(rate: float, source: str) -> dict[str, Any]:
        return {"batch_size": {"value": 64, "source": source}, "rate": {"value": rate, "source": "zoo"}}

    made = {
        "cells": [{"label": "a"}, {"label": "b"}],
        "recipes": {"a": {"d": recipe(1e-3, "zoo")}, "b": {"d": recipe(5e-5, "registry.yaml:3")}},
    }
    sides = recipes_of(made, "d")
    assert [(field.name, field.differs) for field in sides.fields] == [("rate", True), ("batch_size", False)]
    assert [entry.text for entry in sides.fields[0].entries] == ["0.001", "5e-05"]


def test_a_field_that_one_variant_lacks_differs():
    made = {
        "cells": [{"label": "a"}, {"label": "b"}],
        "recipes": {"a": {"d": {"r1": {"value": 1}}}, "b": {"d": {"x": {"value": 1}}}},
    }
    assert all(field.differs for field in recipes_of(made, "d").fields)


def test_protocols_are_shown_as_what_all_scores_share_and_what_each_has_of_its_own():
    one, other = ({"real": {"count": 5}, "settings": settings} for settings in ({"k": 3}, {"k": 5, "far": True}))
    found = protocols_of({"protocols": {"recall": one, "coverage": other}})
    assert found.shared == [("real.count", "5")]
    assert found.own == {"recall": [("settings.k", "3")], "coverage": [("settings.k", "5"), ("settings.far", "yes")]}


def test_every_published_number_has_a_source_a_link_and_a_protocol():
    everything = [entry for entries in read_published().values() for entry in entries]
    assert everything
    for entry in everything:
        assert isinstance(entry, Published)
        assert entry.source
        assert entry.protocol
        assert entry.link.startswith("https://")
        assert set(entry.disputed) <= set(entry.scores)
        assert all(isinstance(value, str) for scores in entry.scores.values() for value in scores.values())


def test_published_numbers_are_of_datasets_that_the_zoo_has():
    assert set(read_published()) <= set(read_catalogue().datasets)


def test_published_numbers_are_shown_for_their_dataset_in_any_version_and_for_no_other(files: dict[str, str]):
    assert published_of("cifar10:3.*.*") == published_of("cifar10") != ()
    assert published_of("fashion_mini") == ()
    assert "Published numbers on fashion_mnist" in files["report.html"]
    assert "Published numbers on fashion_mini" not in files["report.html"]
    assert "These compare only within their own protocol" in files["report.html"]


def test_a_number_that_copies_disagree_about_is_marked(page: Callable[[Comparison], str], small: Comparison):
    assert published_of("cifar10")[0].disputed == ("LSGAN",)
    as_cifar = json.loads(json.dumps(small).replace("ring8", "cifar10"))
    assert re.search(r"87\.1 ± 47\.5<span aria-hidden=\"true\"> †</span>", page(as_cifar))


# --- what users named ---------------------------------------------------------------------------------------------


def renamed(made: Comparison, before: str, after: str) -> Comparison:
    """A comparison with one label replaced everywhere."""
    text = json.dumps(made)
    return json.loads(text.replace(json.dumps(before)[1:-1], json.dumps(after)[1:-1]))


def test_a_name_is_shown_and_never_read_as_markup(page: Callable[[Comparison], str], small: Comparison):
    content = page(renamed(small, "wgan", EVIL))
    assert content.count("<script>") == 1
    assert "&lt;script&gt;window.bad" in content


def test_labels_stand_out_of_a_sentence_whole_with_their_own_commas():
    labels = ["vanilla", "vanilla,objective=minimax", "vanilla+r1,r1_gamma=0.1", "gan<b>"]
    said = str(naming("vanilla+r1,r1_gamma=0.1, vanilla and vanilla,objective=minimax lead; gan<b> is worse", labels))
    shown = re.findall(r'<span class="label">(.*?)</span>', said.replace("<wbr>", ""))
    assert shown == ["vanilla+r1,r1_gamma=0.1", "vanilla", "vanilla,objective=minimax", "gan&lt;b&gt;"]
    assert re.sub("<[^>]*>", "", said).endswith(" lead; gan&lt;b&gt; is worse")


def test_markdown_shows_names_as_they_are(small: Comparison):
    table = markdown_table(renamed(small, "wgan", "a|b`c<i>")).splitlines()
    assert "`` a\\|b`c<i> ``" in table[2]
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in table]
    assert len(set(bars)) == 1
    assert escaped("a*b [x](y) <i> |\nsnake_case _em_") == "a\\*b \\[x\\](y) \\<i> \\| snake_case \\_em\\_"
    assert code("plain") == "`plain`"


def test_the_markdown_has_every_dataset_sentence_and_lost_run(whole: tuple[Comparison, Path], files: dict[str, str]):
    made, text = whole[0], files["report.md"]
    for dataset, scores in made["rankings"].items():
        assert f"\n## {escaped(dataset)}\n" in text
        assert all(escaped(found["sentence"]) in text for stages in scores.values() for found in stages.values())
    assert text.count("| diverged |") == 4
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert len(pictures) == 10
    assert all((whole[1] / path).is_file() for path in pictures)


def test_the_main_table_of_several_datasets_says_which_is_which(whole: tuple[Comparison, Path]):
    text = markdown_table(whole[0])
    assert [line for line in text.splitlines() if line.startswith("**")] == ["**fashion_mini**", "**fashion_mnist**"]


# --- charts -------------------------------------------------------------------------------------------------------


def test_charts_have_no_colour_of_their_own_and_text_that_is_text(files: dict[str, str]):
    charts = re.findall(r'<svg viewBox="[^"]*" class="chart".*?</svg>', files["report.html"], re.DOTALL)
    assert len(charts) == 2 * (4 * 3 + 5)
    for chart in charts:
        assert not re.search(r"#[0-9a-f]{6}", chart)
        assert "<text" in chart
        assert "DejaVu" not in chart


def test_no_two_things_in_the_page_have_one_id(files: dict[str, str]):
    ids = re.findall(r'\sid="([^"]+)"', files["report.html"])
    assert len(ids) == len(set(ids))
    referred = re.findall(
        r'(?:href="#|url\(#|aria-(?:labelledby|describedby|controls)=")([\w-]+)', files["report.html"]
    )
    assert set(referred) <= set(ids)


def test_a_chart_says_its_content_in_words(files: dict[str, str]):
    described = re.findall(r"<desc[^>]*>([^<]*)</desc>", files["report.html"])
    assert any(
        re.search(r"Lower is better\..*wgan: [\d.]+ at 512 k, [\d.]+ at 5\.12 M images", text) for text in described
    )
    assert any("1 run lost on the way" in text for text in described)


def test_every_seed_is_a_dot(small: Comparison, page: Callable[[Comparison], str]):
    assert len(re.findall(r"<title>seed \d: ", page(small))) == len(small["scores"]) * len(small["cells"])


# --- numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (number(0.017215), "0.0172"),
        (number(-3.0), "\N{MINUS SIGN}3"),
        (number(-0.00001, 3), "0.000"),
        (number(None), "–"),
        (spread(0.00068, [0.01672, 0.0177], 4), "± 0.0007 [0.0167, 0.0177]"),
        (spread(None, None, 3), ""),
        (count(5_120_000), "5.12 M"),
        (count(512_000), "512 k"),
        (count(999_600), "1 M"),
        (count(2632.4), "2,632"),
        (duration(3780), "63 min"),
        (duration(7500), "2 h 05 min"),
        (duration(8.44), "8.44 s"),
        (memory(1.4 * 2**30), "1.4 GiB"),
        (memory(None), "–"),
        (plain({"split": "test", "range": [0, 5], "rate": 5e-5}), "split test, range 0, 5, rate 5e-05"),
        (str(difference_decimals(-1.0, [-1.0, -1.0])), "0"),
        (str(difference_decimals(0.0286, [0.0237, 0.0335])), "4"),
    ],
)
def test_numbers_have_the_digits_and_units_that_a_reader_wants(made: str, said: str):
    assert made == said


def test_the_factory_has_every_state_that_the_report_must_show():
    states = {cell["state"] for cell in comparison(TROUBLED)["cells"]}
    assert states == {"done", "diverged", "failed", "running"}
    assert copy.deepcopy(TROUBLED) == TROUBLED
