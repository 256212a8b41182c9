import pytest

from zoo.catalogue import Catalogue, PluginEntry, VariantEntry, canonical_name, parse_stack, stack_plugins
from zoo.errors import ZooError


def catalogue() -> Catalogue:
    plugins = {name: PluginEntry(name, f"m.{name}", None, "x:1") for name in ("dcgan", "wgan", "wgan_gp", "r1")}
    stacks = {"dcgan": ("dcgan",), "wgan": ("dcgan", "wgan"), "wgan-gp": ("dcgan", "wgan_gp"), "calm": ("r1",)}
    variants = {name: VariantEntry(name, stack, {}, {}, "", "x:1") for name, stack in stacks.items()}
    return Catalogue(plugins, variants)


@pytest.mark.parametrize(
    ("text", "kinds", "plugins", "canonical"),
    [
        ("dcgan", "v", "dcgan", "dcgan"),
        ("r1", "p", "r1", "r1"),
        ("wgan", "v", "dcgan wgan", "wgan"),
        ("dcgan+wgan", "vp", "dcgan wgan", "dcgan+wgan"),
        ("wgan_gp", "v", "dcgan wgan_gp", "wgan-gp"),
        ("wgan-gp+r1", "vp", "dcgan wgan_gp r1", "wgan-gp+r1"),
        ("dcgan+wgan-gp", "vp", "dcgan wgan_gp", "dcgan+wgan_gp"),
        ("dcgan+calm", "vv", "dcgan r1", "dcgan+calm"),
        (" dcgan + r1 ", "vp", "dcgan r1", "dcgan+r1"),
    ],
)
def test_the_first_part_is_a_variant_before_a_plugin_and_the_others_the_other_way_round(
    text: str, kinds: str, plugins: str, canonical: str
) -> None:
    parts = parse_stack(text, catalogue())
    assert "".join(part.kind[0] for part in parts) == kinds
    assert stack_plugins(parts) == tuple(plugins.split())
    assert canonical_name(parts) == canonical
    assert parse_stack(canonical, catalogue()) == parts
    assert all((part.variant is not None) == (part.kind == "variant") for part in parts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "dcgna",
            "Unknown variant or plugin: 'dcgna'. Did you mean 'dcgan'? Available: calm, dcgan, r1, wgan, wgan-gp, "
            "wgan_gp.",
        ),
        (
            "dcgan+r11",
            "Unknown variant or plugin: 'r11'. Did you mean 'r1'? Available: calm, dcgan, r1, wgan, wgan-gp, wgan_gp.",
        ),
        (
            "wgan+dcgan",
            "Stack 'wgan+dcgan' has the plugin 'dcgan' twice: part 'wgan' already brings it, and 'dcgan' does again. "
            "Remove one of the two.",
        ),
        (
            "r1+r1",
            "Stack 'r1+r1' has the plugin 'r1' twice: part 'r1' already brings it, and 'r1' does again. "
            "Remove one of the two.",
        ),
        ("dcgan++r1", "Stack 'dcgan++r1' has an empty part. Join names by single plus signs, such as variant+plugin."),
        ("", "Stack '' has an empty part. Join names by single plus signs, such as variant+plugin."),
    ],
)
def test_a_stack_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(ZooError) as raised:
        parse_stack(text, catalogue())
    assert str(raised.value) == message


def test_an_exact_name_wins_over_one_that_differs_in_its_dashes() -> None:
    two = catalogue()
    two.variants["wgan_gp"] = VariantEntry("wgan_gp", ("wgan",), {}, {}, "", "x:2")
    assert parse_stack("wgan_gp", two)[0].plugins == ("wgan",)
    assert parse_stack("wgan-gp", two)[0].plugins == ("dcgan", "wgan_gp")
