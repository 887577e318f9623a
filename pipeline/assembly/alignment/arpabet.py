"""From the phonemes of the G2P (misaki, close to IPA) to the acoustic model's ARPAbet."""

from __future__ import annotations

#: Two characters that make one phone; looked up before the single ones.
PAIRS = {"əɹ": "ER", "ɜɹ": "ER", "əl": "AH L"}

#: One character, one phone or two. Sounds that English lacks get their nearest neighbour: an
#: alignment needs the right kind of sound in the right place, not the right accent.
SINGLES = {
    "A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY",
    "a": "AE", "e": "EY", "i": "IY", "o": "OW", "u": "UW", "y": "UW",
    "æ": "AE", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO", "ə": "AH", "ɚ": "ER", "ɛ": "EH", "ɜ": "ER",
    "ɪ": "IH", "ʊ": "UH", "ʌ": "AH", "ᵻ": "IH", "ᵊ": "AH", "ɐ": "AH", "ɨ": "IH", "ø": "ER",
    "œ": "ER", "ɤ": "AH", "ɯ": "UW",
    "b": "B", "c": "K", "d": "D", "f": "F", "g": "G", "h": "HH", "j": "Y", "k": "K", "l": "L",
    "m": "M", "n": "N", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "v": "V", "w": "W",
    "x": "HH", "z": "Z", "T": "T",
    "ç": "HH", "ð": "DH", "ŋ": "NG", "ɡ": "G", "ɣ": "G", "ɥ": "W", "ɰ": "W", "ɲ": "N Y",
    "ɳ": "N", "ɴ": "N", "ɸ": "F", "ɹ": "R", "ɻ": "R", "ɽ": "R", "ɾ": "T", "ʁ": "R", "ʂ": "SH",
    "ʃ": "SH", "ɕ": "SH", "ʈ": "T", "ɖ": "D", "ʋ": "V", "ʎ": "L Y", "ʒ": "ZH", "ʝ": "Y",
    "ɟ": "JH", "β": "V", "θ": "TH", "χ": "HH", "ʔ": "T",
    "ʣ": "D Z", "ʥ": "JH", "ʤ": "JH", "ʦ": "T S", "ʨ": "CH", "ʧ": "CH",
}  # fmt: skip

#: Marks that carry no sound of their own: stress, length.
MARKS = str.maketrans("", "", "ˈˌːʰʲ̃")


def arpabet(phonemes: str) -> tuple[str, ...]:
    """Return the phones of one run of phonemes; what is not a sound is left out."""
    bare = phonemes.translate(MARKS)
    phones: list[str] = []
    at = 0
    while at < len(bare):
        pair = PAIRS.get(bare[at : at + 2])
        phones += (pair or SINGLES.get(bare[at], "")).split()
        at += 2 if pair else 1
    return tuple(phones)
