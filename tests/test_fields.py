"""Fields: models matched to them by name, fields that plugins derive, rows that are not aligned, labels of fakes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from error_places import without_place
from keras import ops

from zoo import ZooError
from zoo.data import Dataset
from zoo.data.fields import Field, expected_fields
from zoo.training.latents import drawn_labels
from zoo.training.trainer import Trainer

TRANSLATING = """
@hookimpl
def generator(sample_shape, recipe):
    source = keras.Input((3,), name="source")
    z = keras.Input((recipe.latent_size,), name="latents")
    x = keras.layers.Dense(2)(keras.layers.Concatenate()([source, z]))
    return keras.Model([source, z], {"samples": x, "source": 2 * source})

@hookimpl
def discriminator(sample_shape):
    samples, source = keras.Input(sample_shape, name="samples"), keras.Input((3,), name="source")
    x = keras.layers.Concatenate(name="features")([samples, source])
    return keras.Model([samples, source], keras.layers.Dense(1)(x))
"""


def with_source(dataset: Dataset, aligned: bool = True, count: int | None = None) -> Dataset:
    """The dataset with a field of three numbers: the number of the row, and two zeros."""
    rows = dataset.count if count is None else count
    array = np.zeros((rows, 3), "float32")
    array[:, 0] = np.arange(rows)
    return replace(dataset, others={"source": (Field("vector", (3,), aligned=aligned), array)})


def test_the_discriminator_judges_what_the_generator_returned_under_a_fields_name(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable, eager_terms: Callable
) -> None:
    stack = make_stack("vanilla+mine", plugins=[plugin_file(TRANSLATING)])
    terms = eager_terms(Trainer(stack, with_source(tiny_dataset((2,)))))
    source = ops.convert_to_numpy(terms.batch["source"])
    assert source[:, 0].max() > 0
    np.testing.assert_array_equal(ops.convert_to_numpy(terms.real_fields["source"]), source)
    np.testing.assert_array_equal(ops.convert_to_numpy(terms.latents["source"]), source)
    np.testing.assert_array_equal(ops.convert_to_numpy(terms.fake_fields["source"]), 2 * source)
    assert terms.latents["latents"].shape == (4, 3)
    assert set(terms.generated) == {"samples", "source"}


def test_the_generators_update_gets_a_batch_where_its_models_read_one(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    stack = make_stack("vanilla+mine", plugins=[plugin_file(TRANSLATING)])
    trainer = Trainer(stack, with_source(tiny_dataset((2,))))
    assert trainer.feed.update("generator", 0, 0)["batch"]["source"].shape == (4, 3)
    assert np.isfinite(list(trainer.step().values())).all()
    plain = Trainer(make_stack("vanilla"), with_source(tiny_dataset((2,))))
    assert plain.feed.update("generator", 0, 0)["batch"] == {}


def test_aligned_fields_share_their_rows_and_others_have_an_order_of_their_own(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    dataset = tiny_dataset((2,))
    numbered = replace(dataset, samples=np.arange(80, dtype="float32").reshape(40, 2))
    aligned = Trainer(make_stack("vanilla"), with_source(numbered)).feed.batch(3)
    np.testing.assert_array_equal(aligned["samples"][:, 0], 2 * aligned["source"][:, 0])
    loose = Trainer(make_stack("vanilla"), with_source(numbered, aligned=False, count=7)).feed
    rows = np.concatenate([loose.batch(number)["source"][:, 0] for number in range(7)])
    assert (loose.batch(3)["samples"][:, 0] != 2 * loose.batch(3)["source"][:, 0]).any()
    assert sorted(rows) == sorted([*range(7)] * 4)  # every row as often as every other


def test_a_field_is_derived_on_the_device_from_the_batch_or_from_other_rows(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        @hookimpl
        def derive(batch, other_batch):
            return {"mean": ops.mean(batch["samples"], axis=-1, keepdims=True), "other": other_batch["samples"]}

        @hookimpl
        def observe(batch, player):
            return {"same": ops.sum(ops.abs(batch["mean"][:, 0] - ops.mean(batch["samples"], axis=-1))),
                    "apart": ops.min(ops.sum(ops.abs(batch["other"] - batch["samples"]), axis=-1))} if batch else {}
    """)
    trainer = Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,)))
    assert trainer.players.fields["mean"] == Field("vector", (1,))
    assert trainer.players.fields["other"].shape == (2,)
    metrics = trainer.step()
    assert metrics["discriminator/mine/same"] == pytest.approx(0, abs=1e-6)
    assert metrics["discriminator/mine/apart"] > 0


def test_a_translation_trains_on_patches_and_is_sampled_from_held_out_rows(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    dataset = tiny_dataset((16, 16, 3))
    trainer = Trainer(make_stack("translating", plugins=["translating"]), dataset)
    assert trainer.players.judging.output["logits"].shape == (None, 4, 4, 1)
    assert np.isfinite(list(trainer.step().values())).all()
    sampler = trainer.sampler
    inputs = sampler.latents(3, seed=0, rows=np.array([5, 6, 7]))
    means = (dataset.samples[5:8].astype("float32") / 127.5 - 1).mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(ops.convert_to_numpy(inputs["source"]), means, atol=1e-6)
    assert sampler.samples(inputs).shape == (3, 16, 16, 3)


def test_noise_of_layers_is_a_function_of_the_seed_and_does_not_repeat_by_chunk(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    trainer = Trainer(make_stack("translating", plugins=["translating"]), tiny_dataset((16, 16, 3), count=40))
    sampler = trainer.sampler
    same = np.zeros(520, int)  # every sample is made of the same row
    inputs = sampler.latents(520, seed=0, rows=same)
    samples = sampler.samples(inputs, seed=1)
    np.testing.assert_array_equal(samples, sampler.samples(inputs, seed=1))
    assert (samples != sampler.samples(inputs, seed=2)).any()
    assert len(np.unique(samples, axis=0)) == 520  # among them rows 0, 256 and 512, the first of each chunk
    few = sampler.samples(sampler.latents(300, seed=0, rows=same[:300]), seed=1)
    np.testing.assert_allclose(few, samples[:300], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            TRANSLATING,
            "Plugin 'mine', hook 'discriminator': takes an input 'source' that is no field of the data (the generator "
            "returns it, but real samples need it too). Fields: samples; a plugin derives more in the hook 'derive'.",
        ),
        (
            "@hookimpl\ndef derive(batch):\n    return 3\n",
            "Plugin 'mine', hook 'derive': must return a dict of fields by name, received int.",
        ),
        (
            "@hookimpl\ndef discriminator(sample_shape):\n    x = keras.Input(sample_shape)\n"
            "    return keras.Model(x, {'score': keras.layers.Dense(1)(x)})\n",
            "Plugin 'mine', hook 'discriminator': must return 'logits' among its outputs, received score.",
        ),
        (
            "@hookimpl\ndef optimizers():\n    return [keras.optimizers.SGD(1.0)] * 3\n",
            "Plugin 'mine', hook 'optimizers': must return two Keras optimizers, the generator's and the "
            "discriminator's (a further network brings its own in the hook 'networks'); received 3 values.",
        ),
    ],
    ids=["no such field", "derive", "no logits", "three optimizers"],
)
def test_what_can_not_be_matched_is_refused_before_training(
    text: str, problem: str, tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    with pytest.raises(ZooError) as raised:
        Trainer(make_stack("vanilla+mine", plugins=[plugin_file(text)]), tiny_dataset((2,)))
    assert without_place(str(raised.value)) == problem


def test_samples_alone_are_not_judged_under_somebody_elses_labels(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    terms = eager_terms(Trainer(make_stack("conditional", plugins=["conditional"]), tiny_dataset(classes=3)))
    with pytest.raises(ZooError, match=r"This discriminator also takes 'labels': whose they are must be said\."):
        terms.discriminate(terms.fake_samples)
    logits = terms.discriminate({**terms.fake_fields, "samples": terms.fake_samples})
    np.testing.assert_allclose(ops.convert_to_numpy(logits), ops.convert_to_numpy(terms.fake_logits), rtol=1e-5)


def test_the_whole_answer_holds_features_and_heads(
    tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    terms = eager_terms(Trainer(make_stack("vanilla+two_heads", plugins=["two_heads"]), tiny_dataset((2,), classes=3)))
    assert set(terms.real_outputs) == {"logits", "classes", "features"}
    assert terms.real_features.shape == (4, 8)
    kernel, bias = terms.discriminator.get_layer("classes").get_weights()
    by_hand = ops.convert_to_numpy(terms.real_features) @ kernel + bias
    np.testing.assert_allclose(ops.convert_to_numpy(terms.real_outputs["classes"]), by_hand, atol=1e-5)


@pytest.mark.parametrize("choice", ["data", "uniform", "batch"])
def test_labels_of_fakes_are_drawn_as_the_recipe_says(
    choice: str, tiny_dataset: Callable, make_stack: Callable, eager_terms: Callable
) -> None:
    dataset = replace(tiny_dataset(classes=3, count=2000), labels=np.array([0] * 1600 + [1] * 400 + [2] * 0))
    trainer = Trainer(
        make_stack("conditional", f"fake_labels={choice}", "batch_size=2000", plugins=["conditional"]), dataset
    )
    terms = eager_terms(trainer, "generator")
    counts = np.bincount(ops.convert_to_numpy(terms.fake_labels), minlength=3)
    if choice == "batch":
        np.testing.assert_array_equal(ops.convert_to_numpy(terms.fake_labels), ops.convert_to_numpy(terms.real_labels))
    expected = {"data": [1600, 400, 0], "uniform": [667, 667, 667], "batch": [1600, 400, 0]}[choice]
    assert np.abs(counts - expected).max() < (1 if choice == "batch" else 4.5 * np.sqrt(2000 * 0.25))


def test_labels_are_the_inverse_of_the_distribution_function() -> None:
    field = Field("label", (), frequencies=(0.25, 0.5, 0.25))
    uniform = np.array([0, 0.2499, 0.25, 0.7499, 0.75, 0.9999], "float32")
    assert list(ops.convert_to_numpy(drawn_labels(field, uniform))) == [0, 0, 1, 1, 2, 2]


def test_labels_in_proportion_are_as_even_as_they_go_and_in_an_order_of_the_seed(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    dataset = replace(tiny_dataset(classes=3, count=100), labels=np.array([0] * 50 + [1] * 30 + [2] * 20))
    sampler = Trainer(make_stack("conditional", plugins=["conditional"]), dataset).sampler
    labels = sampler.labels_in_proportion(1000, seed=3)["labels"]
    assert list(np.bincount(labels)) == [500, 300, 200]
    assert (labels != sampler.labels_in_proportion(1000, seed=4)["labels"]).any()
    assert len(set(labels[:20])) > 1


def test_conditions_replace_inputs_by_name(tiny_dataset: Callable, make_stack: Callable) -> None:
    sampler = Trainer(make_stack("conditional", plugins=["conditional"]), tiny_dataset(classes=3)).sampler
    inputs = sampler.latents(4, seed=0, conditions={"labels": 2})
    assert list(ops.convert_to_numpy(inputs["labels"])) == [2] * 4
    each = sampler.latents(4, seed=0, conditions={"labels": [0, 1, 2, 0]})
    assert list(ops.convert_to_numpy(each["labels"])) == [0, 1, 2, 0]
    np.testing.assert_array_equal(ops.convert_to_numpy(each["latents"]), ops.convert_to_numpy(inputs["latents"]))
    with pytest.raises(ZooError, match=r"takes no 'code'\. Its inputs: latents, labels"):
        sampler.latents(4, seed=0, conditions={"code": 1})
    with pytest.raises(ZooError, match=r"The condition 'labels' must be of shape \(\) or \(4,\); got \(3,\)\."):
        sampler.latents(4, seed=0, conditions={"labels": [0, 1, 2]})


def test_truncated_latents_are_those_of_a_normal_distribution_within_two_psi(
    tiny_dataset: Callable, make_stack: Callable
) -> None:
    from scipy.stats import truncnorm

    sampler = Trainer(make_stack("vanilla", "latent_size=50"), tiny_dataset((2,))).sampler
    drawn = ops.convert_to_numpy(sampler.latents(400, seed=0, truncation=0.5))
    assert np.abs(drawn).max() <= 1
    assert drawn.std() == pytest.approx(truncnorm(-1, 1).std(), abs=0.01)
    with pytest.raises(ZooError, match=r"The truncation must be in \(0, 1\]; received 1.5"):
        sampler.latents(4, seed=0, truncation=1.5)


def test_a_hook_that_reads_real_labels_draws_latents_when_sampling_too(
    tiny_dataset: Callable, make_stack: Callable, plugin_file: Callable
) -> None:
    file = plugin_file("""
        @hookimpl
        def latents(real_batch, count, recipe, seed):
            shift = ops.cast(real_batch["labels"], "float32")[:, None]
            return keras.random.normal((count, recipe.latent_size), seed=seed) + 10 * shift
    """)
    trainer = Trainer(make_stack("vanilla+mine", plugins=[file]), tiny_dataset((2,), classes=3))
    trainer.step()
    latents = ops.convert_to_numpy(trainer.sampler.latents(40, seed=0))
    np.testing.assert_array_equal(np.rint(latents.mean(axis=1) / 10), trainer.dataset.labels)


def test_fields_survive_the_way_through_yaml() -> None:
    fields = expected_fields((28, 28, 1), 10) | {"points": Field("points", (2,), 3.5, aligned=False)}
    for field in fields.values():
        record: Any = {name: list(each) if isinstance(each, tuple) else each for name, each in field.record().items()}
        assert Field.from_record(record) == field


def test_classes_are_known_by_name_and_number() -> None:
    field = Field("label", (), class_names=("Bag", "Shirt"), frequencies=(0.5, 0.5))
    assert [field.class_number(each) for each in ("Bag", "shirt", "1")] == [0, 1, 1]
    with pytest.raises(ZooError, match=r"Unknown class: 'bagg'\. Did you mean 'Bag'\? Available: Bag, Shirt\."):
        field.class_number("bagg")
    with pytest.raises(ZooError, match="The classes are numbered from 0 to 2"):
        Field("label", (), frequencies=(0.5, 0.25, 0.25)).class_number("Bag")
