"""Sentences for photos that have only a name.

In: a label of the labelled photos. Out: an everyday noun, and a few sentences of our own about it, in the manner of
ordinary captions. Which of the sentences a photo gets is drawn by its place, so that a run can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# {a} is the noun with its article, {n} the bare noun; each group has the places where such things are seen.
_SENTENCES: dict[str, tuple[str, ...]] = {
    "animal": (
        "{A} standing in the grass.",
        "{A} in a field looking at the camera.",
        "A close up of {a} outside.",
        "{A} standing next to a tree.",
        "{A} walking on the ground.",
        "There is {a} in this picture.",
        "{A} resting on the ground.",
    ),
    "bird": (
        "{A} standing on the ground.",
        "A close up of {a}.",
        "{A} standing in the water.",
        "{A} perched outside looking around.",
        "A bird, {a}, in the open.",
    ),
    "sea": (
        "{A} under the water.",
        "A close up of {a} in the ocean.",
        "{A} swimming in the water.",
        "{A} lying on the sand.",
        "{A} in an aquarium.",
    ),
    "insect": (
        "A close up of {a} on a leaf.",
        "{A} sitting on a plant.",
        "{A} on a white background.",
        "A small insect, {a}, seen from very near.",
    ),
    "instrument": (
        "{A} on a white background.",
        "{A} in a room.",
        "A close up of {a}.",
        "A musical instrument, {a}, on display.",
        "{A} leaning against a wall.",
    ),
    "object": (
        "{A} sitting on top of a table.",
        "A close up of {a}.",
        "{A} on a white background.",
        "{A} on a table next to a wall.",
        "There is {a} on the table.",
        "{A} lying on a desk.",
    ),
    "furniture": (
        "{A} in a room.",
        "{A} in the corner of a living room.",
        "{A} sitting on the floor.",
        "A room with {a} in it.",
        "{A} next to a wall.",
    ),
    "hanging": (
        "{A} hanging from the ceiling.",
        "A room with {a} on the ceiling.",
        "{A} above a table.",
        "A close up of {a} in a room.",
    ),
    "vehicle": (
        "{A} parked on the street.",
        "{A} parked next to a building.",
        "{A} parked on the side of the road.",
        "A side view of {a}.",
        "{A} in a parking lot.",
    ),
    "aircraft": (
        "{A} flying in the sky.",
        "{A} sitting on a runway.",
        "{A} parked at an airport.",
        "{A} flying through a blue sky.",
        "A large {n} on the ground.",
    ),
    "boat": (
        "{A} on the water.",
        "{A} sailing in the ocean.",
        "{A} in the water under a cloudy sky.",
        "{A} floating on a lake.",
    ),
    "building": (
        "A tall building with {a}.",
        "{A} in a city under a blue sky.",
        "{A} with trees in front of it.",
        "A view of {a} from the outside.",
    ),
    "plant": (
        "A close up of {a}.",
        "{A} growing in a garden.",
        "{A} with green leaves.",
        "{A} outside in the sun.",
    ),
    "potted": ("{A} in a pot.", "{A} sitting on a table.", "A small tree in a pot.", "{A} in a vase by a window."),
    "food": (
        "{A} on a plate.",
        "A close up of {a} on a table.",
        "{A} sitting on a white plate.",
        "A plate with {a} on it.",
    ),
    "person": (
        "A person is smiling at the camera.",
        "A close up of the face of a person.",
        "A person looking at the camera in a room.",
        "The face of a person in front of a wall.",
    ),
    "drawing": (
        "A drawing of {a}.",
        "A picture of {a} on a white background.",
        "An illustration of {a}.",
        "A cartoon of {a}.",
    ),
    "sign": (
        "{A} on the side of a street.",
        "A red {n} next to a road.",
        "{A} on a pole.",
        "{A} at an intersection in front of trees.",
    ),
    "statue": ("{A} in a room.", "A statue of {a}.", "A stone statue sitting in front of a wall."),
    "fruit": (
        "A bunch of {p} next to each other.",
        "A pile of {p} at a market.",
        "A close up of some {p}.",
        "A display of {p} at a market.",
        "Several {p} in a box.",
        "A lot of {p} next to each other.",
        "Fresh {p} for sale.",
    ),
    "carton": (
        "{A} on a shelf.",
        "Several {p} on a shelf.",
        "A row of {p} in a refrigerator.",
        "A person holding {a} in one hand.",
        "A close up of {a}.",
    ),
}  # fmt: skip

# Caltech's labels by group, each with the everyday noun where it is another one.
_CALTECH = {
    "animal": (
        "leopards=leopard, beaver, cougar body=cougar, cougar face=cougar, crocodile, crocodile head=crocodile, "
        "dalmatian=dog, elephant, gerenuk=antelope, hedgehog, kangaroo, llama, okapi, panda=panda bear, platypus, "
        "rhino, wild cat=cat"
    ),
    "bird": "emu, flamingo, flamingo head=flamingo, ibis=bird, pigeon, rooster",
    "sea": (
        "bass=fish, crab, crayfish, dolphin, hawksbill=turtle, lobster, nautilus=shell, octopus, "
        "sea horse=seahorse, starfish"
    ),
    "insect": "ant, butterfly, dragonfly, mayfly=insect, scorpion, tick=bug",
    "instrument": (
        "accordion, electric guitar=guitar, euphonium=brass horn, grand piano=piano, mandolin=guitar, saxophone"
    ),
    "object": (
        "anchor, barrel, binocular=pair of binoculars, camera, cannon, cellphone=cell phone, cup, "
        "dollar bill, ewer=pitcher, gramophone=record player, headphone=pair of headphones, "
        "inline skate=roller skate, laptop=laptop computer, menorah=candle holder, metronome, revolver=gun, "
        "scissors=pair of scissors, soccer ball, stapler, umbrella, watch, wrench, yin yang=black and white symbol"
    ),
    "furniture": "chair, windsor chair=wooden chair, wheelchair, lamp",
    "hanging": "ceiling fan, chandelier",
    "vehicle": "motorbikes=motorcycle, car side=car",
    "aircraft": "airplanes=airplane, helicopter",
    "boat": "ferry=boat, ketch=sailboat, schooner=sailing ship",
    "building": "minaret=tower, pagoda, pyramid",
    "plant": "joshua tree=tree, lotus=flower, sunflower, water lilly=flower",
    "potted": "bonsai=small tree",
    "food": "pizza, strawberry",
    "person": "faces easy=person",
    "drawing": "brain, brontosaurus=dinosaur, stegosaurus=dinosaur, trilobite=fossil",
    "sign": "stop sign",
    "statue": "buddha",
}

# The grocery shop's, by noun; the plural is what most sentences say.
_FRUIT = {
    "apple": "golden delicious, granny smith, pink lady, red delicious, royal gala",
    "pear": "anjou, conference, kaiser",
    "tomato": "beef tomato, regular tomato, vine tomato",
    "melon": "cantaloupe, galia melon, honeydew melon",
    "potato": "floury potato, solid potato, sweet potato",
    "pepper": "green bell pepper, orange bell pepper, red bell pepper, yellow bell pepper",
    "orange": "orange, satsumas",
    "grapefruit": "red grapefruit",
    "onion": "yellow onion",
    "mushroom": "brown cap mushroom",
    "beet": "red beet",
    "carrot": "carrots",
    "eggplant": "aubergine",
    "vegetable": "asparagus, leek",
}
_PLURALS = {
    "tomato": "tomatoes", "potato": "potatoes", "mango": "mangoes", "peach": "peaches", "garlic": "garlic bulbs",
    "ginger": "ginger roots", "passion fruit": "passion fruits", "cabbage": "cabbages",
}  # fmt: skip
_CARTONS = (("juice", "carton of juice"), ("grapefruit", "carton of juice"), ("mandarin", "carton of juice"),
            ("milk", "carton of milk"), ("cream", "carton of cream"), ("ghurt", "carton of yogurt"))  # fmt: skip


@dataclass(frozen=True)
class Named:
    """What a label means: the everyday noun, its plural, and the group of sentences that suit it."""

    noun: str
    plural: str
    group: str


def meaning(source: str, label: str) -> Named:
    """What ``label`` of the set ``source`` (``caltech101`` or ``grocery``) is in everyday words."""
    if source == "caltech101":
        return _CALTECH_NAMES.get(label) or Named(label, f"{label}s", "object")
    for noun, labels in _FRUIT.items():
        if label in labels.split(", "):
            return Named(noun, _PLURALS.get(noun, f"{noun}s"), "fruit")
    for part, noun in _CARTONS:
        if part in label:
            return Named(noun, noun.replace("carton", "cartons", 1), "carton")
    return Named(label, _PLURALS.get(label, f"{label}s"), "fruit")


def sentences(named: Named, count: int, random: np.random.Generator) -> tuple[str, ...]:
    """``count`` different sentences, or all where there are fewer."""
    patterns = _SENTENCES[named.group]
    chosen = random.permutation(len(patterns))[:count]
    with_article = f"{'an' if named.noun[0] in 'aeiou' else 'a'} {named.noun}"
    return tuple(
        patterns[i].format(
            a=with_article, A=with_article[0].upper() + with_article[1:], n=named.noun, p=named.plural
        )
        for i in chosen
    )


def _table() -> dict[str, Named]:
    names = {}
    for group, listed in _CALTECH.items():
        for item in listed.split(", "):
            label, _, noun = item.partition("=")
            noun = noun or label
            names[label] = Named(noun, f"{noun}s", group)
    return names


_CALTECH_NAMES = _table()
