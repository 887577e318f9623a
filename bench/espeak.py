"""Speech with known word times in other languages, by espeak-ng in a process of its own.

`python -m bench.espeak LANGUAGE OUT.wav < text` writes the audio and prints, as JSON, the pairs
(character of the text, second) of its word events. The library is GPL, so only this process, which
no part of Voxmill imports, loads it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import sys

import numpy as np
import soundfile

from bench.truth import Spoken
from pipeline.audio.clip import Clip

#: From espeak-ng's speak_lib.h: retrieve audio, text positions in characters, UTF-8; word events.
AUDIO_OUTPUT_RETRIEVAL, POS_CHARACTER, CHARS_UTF8, EVENT_WORD = 1, 1, 1, 1


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def spoken(text: str, clip: Clip, events: list[tuple[int, float]]) -> Spoken:
    """Return the truth: NaN for words that espeak-ng runs into the one before."""
    at = dict(events)
    starts: list[float] = []
    position = 0
    for word in text.split():
        position = text.index(word, position)
        inside = range(position, position + len(word))
        starts.append(next((at[i] for i in inside if i in at), float("nan")))
        position += len(word)
    inner = tuple(i > 0 for i in range(len(starts)))
    return Spoken(text, clip, tuple(starts), tuple(starts), inner)


def main() -> None:
    language, path = sys.argv[1:]
    text = sys.stdin.read().strip()
    library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
    rate = library.espeak_Initialize(AUDIO_OUTPUT_RETRIEVAL, 0, None, 0)
    blocks: list[np.ndarray] = []
    words: list[tuple[int, float]] = []

    def heard(
        wave: ctypes._Pointer[ctypes.c_short], n: int, events: ctypes._Pointer[_Event]
    ) -> int:
        if wave and n:
            blocks.append(np.ctypeslib.as_array(wave, (n,)).copy())
        index = 0
        while events[index].type:
            if events[index].type == EVENT_WORD:
                # espeak counts characters from 1.
                words.append((events[index].text_position - 1, events[index].audio_position / 1e3))
            index += 1
        return 0

    callback = _Callback(heard)
    library.espeak_SetSynthCallback(callback)
    assert library.espeak_SetVoiceByName(language.encode()) == 0, f"espeak-ng has no {language}"
    data = text.encode() + b"\0"
    library.espeak_Synth(data, len(data), 0, POS_CHARACTER, 0, CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    soundfile.write(path, np.concatenate(blocks), rate, subtype="PCM_16")
    print(json.dumps(words))


if __name__ == "__main__":
    main()
