"""How a word that no dictionary has is said: a small recurrent network from letters to phonemes.

The network and its weights are those of g2p-en (Park & Kim, 2019): a GRU reads the letters, another
one writes the phonemes, each step with the one it wrote before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
_START, _END = "<s>", "</s>"
#: In the order of the network's outputs.
_PHONEMES = (
    *("<pad>", "<unk>", _START, _END),
    *sorted([*_CONSONANTS, "UW", *(vowel + stress for vowel in _VOWELS for stress in "012")]),
)
_UNKNOWN_LETTER = _LETTERS.index("<unk>")
_LONGEST = 20


@dataclass(frozen=True, slots=True)
class Gru:
    """A gated recurrent unit (Cho et al., 2014): gates in the order reset, update, new."""

    w_ih: Array  # [3 H, D]
    w_hh: Array  # [3 H, H]
    b_ih: Array  # [3 H]
    b_hh: Array  # [3 H]

    def step(self, x: Array, h: Array) -> Array:
        """Return the state [1, H] after input x [1, D]."""
        from_input = x @ self.w_ih.T + self.b_ih
        from_state = h @ self.w_hh.T + self.b_hh
        width = self.w_hh.shape[1]
        gates = 1 / (1 + np.exp(-(from_input + from_state)[:, : 2 * width]))
        reset, update = gates[:, :width], gates[:, width:]
        new = np.tanh(from_input[:, 2 * width :] + reset * from_state[:, 2 * width :])
        state: Array = (1 - update) * new + update * h
        return state


@dataclass(frozen=True, slots=True)
class SpellingNetwork:
    """Letters → phonemes."""

    letters: Array  # [29, D]
    encoder: Gru
    phonemes: Array  # [74, D]
    decoder: Gru
    w_out: Array  # [74, H]
    b_out: Array  # [74]

    def __call__(self, word: str) -> list[str]:
        """Return the phonemes of a word in lower case; "<unk>" where the network gives up."""
        h = np.zeros((1, self.encoder.w_hh.shape[1]), np.float32)
        indices = [_LETTERS.index(char) if char in _LETTERS else _UNKNOWN_LETTER for char in word]
        for index in [*indices, _LETTERS.index(_END)]:
            h = self.encoder.step(self.letters[[index]], h)
        written: list[str] = []
        last = _PHONEMES.index(_START)
        for _ in range(_LONGEST):
            h = self.decoder.step(self.phonemes[[last]], h)
            last = int((h @ self.w_out.T + self.b_out).argmax())
            if _PHONEMES[last] == _END:
                break
            written.append(_PHONEMES[last])
        return written


def load(path: Path) -> SpellingNetwork:
    """Return the network of a checkpoint of g2p-en (`checkpoint20.npz`)."""
    with np.load(path) as stored:
        sides = {
            side: Gru(*(stored[f"{side}_{name}"] for name in ("w_ih", "w_hh", "b_ih", "b_hh")))
            for side in ("enc", "dec")
        }
        return SpellingNetwork(
            letters=stored["enc_emb"],
            encoder=sides["enc"],
            phonemes=stored["dec_emb"],
            decoder=sides["dec"],
            w_out=stored["fc_w"],
            b_out=stored["fc_b"],
        )
