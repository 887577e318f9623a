"""What a finished file says about itself."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.manifest.script import Cover

#: BCP 47 primary tag → ISO 639-2 code, which MP4 and ID3 want.
LANGUAGE_CODES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell",
    "en": "eng", "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb",
    "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor",
    "la": "lat", "lt": "lit", "lv": "lav", "ms": "msa", "nl": "nld", "no": "nor", "pl": "pol",
    "pt": "por", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe",
    "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "yue": "yue", "zh": "zho",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metadata:
    """Tags of a finished file; each format stores them under its own names."""

    title: str
    author: str | None
    narrator: str
    #: BCP 47 primary tag.
    language: str
    #: The book, when the file is a chapter of it; otherwise the title.
    album: str | None = None
    #: Number of the file and how many there are.
    track: tuple[int, int] | None = None
    genre: str = "Audiobook"
    year: int | None = None
    publisher: str | None = None
    description: str | None = None
    #: How the file was made: "Synthesized with Voxmill 0.1.0, voice hibari/heart".
    comment: str | None = None
    cover: Cover | None = None

    @property
    def language_code(self) -> str:
        """ISO 639-2 code of the language; "und" when it is not known."""
        return LANGUAGE_CODES.get(self.language, "und")
