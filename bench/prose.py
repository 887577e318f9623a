"""Made-up prose of any length, the same for the same seed: what the render bench speaks.

Sentences are filled from templates, so that no two of them are likely to be equal: a cache that
speaks a sentence once must not make the bench look fast.
"""

from __future__ import annotations

import random
from pathlib import Path

#: Words a minute of narration, for choosing how much text to write.
WORDS_PER_MINUTE = 165

NAMES = """
    Eleanor Thomas Margaret Daniel Helen Arthur Clara Samuel Alice Walter Ruth Edward Martha Henry
    Lucy Oliver
""".split()
VERBS = "carried found repaired sold borrowed painted remembered described".split()
MONTHS = "January February March April May June July September October November December".split()


def _listed(text: str) -> list[str]:
    return [" ".join(item.split()) for item in text.split("|")]


PLACES = _listed("""
    the harbour | the old bridge | the market square | the station | the upper field
    | the library | the mill | the chapel | the long garden | the school | the lighthouse
    | the post office
""")
THINGS = _listed("""
    a letter | a lantern | a box of tools | a broken clock | a map of the coast
    | a basket of apples | a wooden chair | a silver watch | a bundle of papers
    | a loaf of bread | a brass key | a blue coat
""")
WEATHER = _listed("""
    The rain had stopped | The wind was rising | A thin snow was falling | The sun came out
    | The fog lay on the water | The evening was warm and still | The first frost had come
""")

TEMPLATES = (
    "{name} {verb} {thing} near {place}, and nobody asked why.",
    "{weather}, and the people of the village went down to {place}.",
    "In {month} {year}, {name} paid ${dollars} for {thing}.",
    '"I have never seen {thing} like that," said {name}.',
    '"How far is it to {place}?" asked {name}.',
    "It was {number} miles to {place}, and the road was bad.",
    "Dr. {name} looked at {thing} for a long time; then she put it down and laughed.",
    "On the {day}th of {month}, the train arrived {number} minutes late.",
    "{name} and {other} had known each other for {number} years, but they had never spoken of it.",
    "There was a light in the window of {place}, although it was well past midnight.",
    "When {name} came back from {place}, {thing} was gone.",
    "Nobody in the family could say who had {verb} {thing}.",
    "{weather}; {name} closed the door, sat down by the fire, and began to read.",
    '"If we leave before {hour} o\'clock," said {name}, "we will be there by supper."',
    "They walked past {place} and along the river until the houses came to an end.",
    "Of the {number} men who had built {place}, only {other} was still alive.",
    "{name} wrote the number {big} on a piece of paper and handed it to {other}.",
    "It is easy to lose {thing}; it is much harder to find it again.",
    "The children ran ahead, shouting, and {name} followed with {thing} under one arm.",
    "By {year} almost everyone had moved away, and {place} stood empty.",
)


def write_book(path: Path, *, minutes: float, seed: int, chapters: int = 4) -> None:
    """Write a Markdown book that takes about so many minutes to speak."""
    rng = random.Random(seed)
    words_left = minutes * WORDS_PER_MINUTE
    parts = ["---\ntitle: The Bench Book\nauthor: Voxmill\nlanguage: en\n---\n"]
    for number in range(1, chapters + 1):
        parts.append(f"# Chapter {number}: {rng.choice(PLACES).title()}\n")
        parts.extend(_paragraphs(rng, words_left / chapters))
    path.write_text("\n".join(parts), encoding="utf-8")


def _paragraphs(rng: random.Random, words: float) -> list[str]:
    paragraphs = []
    while words > 0:
        paragraph = " ".join(_sentence(rng) for _ in range(rng.randint(2, 6)))
        words -= len(paragraph.split())
        paragraphs.append(paragraph + "\n")
    return paragraphs


def _sentence(rng: random.Random) -> str:
    name, other = rng.sample(NAMES, 2)
    sentence = rng.choice(TEMPLATES).format(
        name=name,
        other=other,
        verb=rng.choice(VERBS),
        thing=rng.choice(THINGS),
        place=rng.choice(PLACES),
        weather=rng.choice(WEATHER),
        month=rng.choice(MONTHS),
        year=rng.randint(1700, 1990),
        day=rng.randint(4, 20),
        number=rng.randint(2, 60),
        hour=rng.randint(2, 11),
        big=f"{rng.randint(1_000, 99_999):,}",
        dollars=f"{rng.randint(2, 900)}.{rng.randint(10, 99)}",
    )
    return sentence[0].upper() + sentence[1:]
