"""Text in one language → phonemes (upstream: text/cleaner.py).

A language's module is imported at its first use: each brings packages and data of its own.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pipeline.engines.gpt_sovits.text.languages import LATER
from pipeline.engines.gpt_sovits.text.phonemes import Language, Phonemes, SymbolVersion
from pipeline.errors import RequestError

if TYPE_CHECKING:
    from pipeline.engines.gpt_sovits.text.chinese.pronunciation import Reader
    from pipeline.engines.gpt_sovits.text.english.tagging import Tagger

#: Language → the module that says it and tells what it cannot say.
_MODULES = {
    "zh": "chinese",
    "en": "english.g2p",
    "ja": "japanese",
    "ko": "korean",
    "yue": "cantonese",
}
#: What is said for a part that is in no language, since it holds nothing but marks.
_PAUSE = Phonemes(language="en", norm=" ", phonemes=(",",))


def clean(
    text: str,
    language: str,
    version: SymbolVersion,
    *,
    g2pw: Reader | None = None,
    tag: Tagger | None = None,
    names: Path | None = None,
) -> Phonemes:
    """Return how a text in one language is said.

    Args:
        text: The text as written.
        language: Its code, or another word for what is no language but marks.
        version: The checkpoint's symbol table.
        g2pw: Tells the readings of Chinese polyphones by their context.
        tag: Tells English homographs apart.
        names: Upstream's list of English names.

    Raises:
        RequestError: The checkpoint has no symbols for the language.
        MissingToolError: A package that the language needs is not installed.
    """
    if language not in get_args(Language):
        return _PAUSE
    if version == "v1" and language in LATER:
        raise RequestError(
            f"v1 checkpoints speak no {LATER[language]}, which {text!r} seems to be; "
            "use a checkpoint of a later version, or name the language of the text"
        )
    resources: dict[str, Any] = {"zh": {"g2pw": g2pw}, "en": {"tag": tag, "names": names}}
    said: Phonemes = _module(language).phonemize(text, version, **resources.get(language, {}))
    return said


def unspeakable(text: str, language: str) -> list[tuple[int, str]]:
    """Return the characters (with their positions) that a language has no sound for."""
    if language not in get_args(Language):
        return []
    found: list[tuple[int, str]] = _module(language).unspeakable(text)
    return found


def _module(language: str) -> Any:
    return import_module(f"{__package__}.{_MODULES[language]}")
