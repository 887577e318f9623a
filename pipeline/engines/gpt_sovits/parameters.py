"""What may be chosen about a voice's speech; names and defaults are upstream's (api_v2.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

from pipeline.engines.gpt_sovits.semantic.sampling import BOUNDS, Sampling, require_within
from pipeline.engines.gpt_sovits.text.split import SplitMethod
from pipeline.errors import RequestError

#: Parameter → smallest and largest value, of those that are not of the sampling.
_BOUNDS = {"speed": (0.5, 2.0), "fragment_interval": (0.0, 10.0), "noise_scale": (0.0, 2.0)}


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a text is spoken.

    Raises:
        RequestError: A value is out of bounds.
    """

    top_k: int = 15
    top_p: float = 1.0
    temperature: float = 1.0
    repetition_penalty: float = 1.35
    #: 2 is twice as fast (upstream: speed_factor).
    speed: float = 1.0
    #: How the text is cut into fragments; chunks come cut already, so by default they are not.
    text_split_method: SplitMethod = "cut0"
    #: Silence between fragments, in seconds.
    fragment_interval: float = 0.3
    #: How lively the sound is; 0 always gives the mean.
    noise_scale: float = 0.5

    def __post_init__(self) -> None:
        _ = self.sampling  # checks its own bounds
        require_within(self, _BOUNDS)
        if self.text_split_method not in get_args(SplitMethod):
            known = ", ".join(get_args(SplitMethod))
            raise RequestError(
                f"text_split_method is {self.text_split_method!r}; choose one of {known}."
            )

    @property
    def sampling(self) -> Sampling:
        """The part that chooses tokens."""
        return Sampling(self.top_k, self.top_p, self.temperature, self.repetition_penalty)

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Parameters:
        """Return parameters from text, as given on a command line.

        Raises:
            RequestError: There is no such parameter, or a value is not a number within bounds.
        """
        plain = cls()
        kinds = {field.name: type(getattr(plain, field.name)) for field in fields(cls)}
        chosen: dict[str, Any] = {}
        for name, text in values.items():
            if name not in kinds:
                raise RequestError(f"No parameter {name!r}. Choose of: {', '.join(kinds)}.")
            try:
                chosen[name] = kinds[name](text)
            except ValueError:
                what = "a whole number" if kinds[name] is int else "a number"
                raise RequestError(f"{name} is {text!r}, not {what}.") from None
        return cls(**chosen)


def bounds() -> dict[str, tuple[float, float]]:
    """Return the smallest and largest value of each parameter that is a number."""
    return {**BOUNDS, **_BOUNDS}
