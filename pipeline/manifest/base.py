"""The base of every stored record: frozen, closed, and with one way in and one way out."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import CorruptObjectError

#: For parts of records of which a book has hundreds of thousands: frozen and closed as well, in a
#: third of the memory. `@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)`.
CLOSED = ConfigDict(extra="forbid")


class Record(BaseModel):
    """A frozen record that refuses unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    def encode(self) -> bytes:
        """Return canonical JSON: the same record always gives the same bytes."""
        return self.model_dump_json(indent=1, exclude_defaults=False).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            CorruptObjectError: The bytes are not such a record.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise CorruptObjectError(
                f"Not a {cls.__name__}: {place}: {first['msg']}. Delete it and run again."
            ) from error
