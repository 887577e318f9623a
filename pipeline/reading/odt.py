"""ODT lines between scenes as ornaments: pandoc drops paragraphs that are only a line."""

from __future__ import annotations

import re

_LINE_STYLE = "Horizontal_20_Line"
_DERIVED = re.compile(
    rf'<style:style\b(?=[^>]*style:parent-style-name="{_LINE_STYLE}")[^>]*style:name="([^"]+)"'
)


def with_scene_breaks(content: bytes) -> bytes:
    """Return content.xml with every line between paragraphs written as `* * *`."""
    text = content.decode("utf-8", errors="surrogateescape")
    styles = "|".join(map(re.escape, [_LINE_STYLE, *_DERIVED.findall(text)]))
    line = re.compile(rf'<text:p\b[^>]*text:style-name="(?:{styles})"[^>]*?(?:/>|>\s*</text:p>)')
    told = line.sub("<text:p>* * *</text:p>", text)
    return told.encode("utf-8", errors="surrogateescape")
