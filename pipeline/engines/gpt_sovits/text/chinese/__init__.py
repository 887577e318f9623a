"""Chinese text → phonemes: normalisation, readings, tones.

`phonemize` says a text, `unspeakable` tells what of it is left out. Without torch; jieba and
pypinyin load their dictionaries at the first use.
"""

from pipeline.engines.gpt_sovits.text.chinese.front_end import phonemize
from pipeline.engines.gpt_sovits.text.chinese.unspeakable import unspeakable

__all__ = ["phonemize", "unspeakable"]
