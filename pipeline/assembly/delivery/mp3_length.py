"""The exact length of an MP3 file, from the header that its encoder left in the first frame.

MP3 comes in whole frames, with silence that the encoder needs at both ends; the header (Xing or
Info, with LAME's extension) says how many frames and how much silence.
"""

from __future__ import annotations

import struct
from pathlib import Path

from mutagen import mp3

#: Where the header lies is found by its name, within the first frame after the ID3 tag.
FIRST_FRAME = 4096
HAS_FRAMES, HAS_BYTES, HAS_INDEX, HAS_QUALITY = 1, 2, 4, 8
#: Lengths of those fields, in the order in which they follow the flags.
FIELD_LENGTHS = {HAS_FRAMES: 4, HAS_BYTES: 4, HAS_INDEX: 100, HAS_QUALITY: 4}
#: Delay and padding: 12 bits each, so far into LAME's extension.
DELAYS = slice(21, 24)


def mp3_length(path: Path) -> float:
    """Return the length in seconds, without the encoder's silence."""
    info = mp3.MP3(path).info
    assert info is not None
    header = _header(path, info.frame_offset)
    if header is None:
        return float(info.length)
    n_frames, n_silent = header
    # MPEG 2 halves the frame with the sample rate.
    frame = 1152 if info.version == 1 else 576
    return float((n_frames * frame - n_silent) / info.sample_rate)


def _header(path: Path, offset: int) -> tuple[int, int] | None:
    """Return the number of frames and of silent samples, or None when the file does not say."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(FIRST_FRAME)
    start = max(data.find(b"Xing"), data.find(b"Info"))
    if start < 0:
        return None
    (flags,) = struct.unpack_from(">I", data, start + 4)
    if not flags & HAS_FRAMES:
        return None
    (n_frames,) = struct.unpack_from(">I", data, start + 8)
    extension = start + 8 + sum(size for flag, size in FIELD_LENGTHS.items() if flags & flag)
    delays = int.from_bytes(data[extension:][DELAYS], "big")
    return n_frames, (delays >> 12) + (delays & 0xFFF)
