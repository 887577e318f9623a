"""HTML made ready for pandoc: balanced, without what is not read aloud."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

from pipeline.reading import text as texts
from pipeline.reading.pandoc import joined

_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
})  # fmt: skip
#: Never read: code, navigation, controls, the pronunciation above ideographs (it repeats them).
_SILENT = frozenset({
    "script", "style", "nav", "template", "rt", "rp", "iframe", "noscript", "svg", "button",
    "select", "object", "form", "head", "canvas", "audio", "video",
})  # fmt: skip
_DIVISIONS = frozenset(
    ["aside", "section", "article", "header", "footer", "main", "address", "details"]
)
_BLOCKS = frozenset({
    "p", "div", "section", "article", "aside", "blockquote", "ul", "ol", "dl", "table", "h1",
    "h2", "h3", "h4", "h5", "h6", "hr", "pre", "figure", "header", "footer", "main", "address",
})  # fmt: skip
_SIBLINGS = {"li": ("li",), "dt": ("dt", "dd"), "dd": ("dt", "dd"), "tr": ("tr", "td", "th")}
_SIBLINGS |= {"td": ("td", "th"), "th": ("td", "th")}
_KEPT = ("id", "class", "href", "lang", "epub:type", "role", "type", "start", "alt", "title", "src")

Link = Callable[[str], str]

#: Word processors and the web nest a few dozen deep.
MAX_DEPTH = 250


class _Cleaner(HTMLParser):
    def __init__(self, name: Link, link: Link) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.title: list[str] = []
        #: Google Docs has its title in a paragraph, and nowhere else.
        self.spoken_title: list[str] = []
        self.language: str | None = None
        self.kinds: set[str] = set()
        self.author: str | None = None
        self.n_licences = 0
        self._open: list[str] = []
        self._silent: list[str] = []
        self._in_title = self._in_spoken_title = False
        self._name, self._link = name, link

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        self._note(tag, attributes)
        if self._silent:
            self._silent += [] if tag in _VOID else [tag]
            return
        if tag in _SILENT or self._is_hidden(attributes):
            self._silent += [] if tag in _VOID else [tag]
            return
        if tag in ("html", "body"):
            return
        # Pandoc forgets the anchors of these.
        tag = "div" if tag in _DIVISIONS else tag
        self._close_implied(tag)
        self.out.append(self._tag(tag, attributes))
        if tag not in _VOID:
            self._open.append(tag)
            if len(self._open) > MAX_DEPTH:
                raise RecursionError
        if tag == "li" and "<div" in self.out[-1]:
            self._open.append("div")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"
        self._in_spoken_title = self._in_spoken_title and tag != "p"
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        tag = "div" if tag in _DIVISIONS else tag
        if tag in self._open:
            self._close_to(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._silent:
            self.spoken_title += [data] if self._in_spoken_title else []
            self.out.append(escape(joined(data), quote=False))

    def unknown_decl(self, data: str) -> None:
        self.handle_data(data.removeprefix("CDATA["))

    def close(self) -> None:
        super().close()
        while self._open:
            self.out.append(f"</{self._open.pop()}>")

    def _note(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "p":
            self._in_spoken_title = "title" in attributes.get("class", "").split()
        self._in_title = self._in_title or tag == "title"
        if tag in ("html", "body"):
            self.language = self.language or attributes.get("xml:lang") or attributes.get("lang")
        if tag in ("html", "body") or (tag in ("section", "div") and len(self._open) < 2):
            self.kinds |= set(attributes.get("epub:type", "").split())
        if tag == "meta" and attributes.get("name", "").lower() == "author":
            self.author = attributes.get("content")

    def _is_hidden(self, attributes: dict[str, str]) -> bool:
        classes = attributes.get("class", "").split()
        if "pg-boilerplate" in classes:
            self.n_licences += 1
            return True
        style = attributes.get("style", "").replace(" ", "").lower()
        return "hidden" in attributes or "display:none" in style

    def _close_implied(self, tag: str) -> None:
        if tag in _BLOCKS and self._open[-1:] == ["p"]:
            self._close_to("p")
        siblings = _SIBLINGS.get(tag, ())
        for last in self._open[:-3:-1]:
            if last in siblings:
                self._close_to(last)
                return
            if last not in ("div", "p"):
                return

    def _close_to(self, tag: str) -> None:
        while True:
            last = self._open.pop()
            self.out.append(f"</{last}>")
            if last == tag:
                return

    def _tag(self, tag: str, attributes: dict[str, str]) -> str:
        kept = {key: value for key, value in attributes.items() if key in _KEPT}
        if "xml:lang" in attributes:
            kept.setdefault("lang", attributes["xml:lang"])
        if tag == "a" and "id" not in kept and "name" in attributes:
            kept["id"] = attributes["name"]
        kinds = " ".join(kept.get(key, "") for key in ("epub:type", "role", "class"))
        if tag == "a" and ("noteref" in kinds or "footnote-ref" in kinds):
            # Pandoc would look for the footnote itself, and lose it if it lies in another file.
            kept = {key: kept[key] for key in ("id", "href") if key in kept}
            kept["class"] = "voxmill-noteref"
        if kept.get("role") not in ("doc-backlink", "doc-pagebreak"):
            # Pandoc takes footnotes by their role out of the text.
            kept.pop("role", None)
        if kept.get("id"):
            kept["id"] = self._name(kept["id"])
        if "href" in kept:
            kept["href"] = self._link(kept["href"])
        written = "".join(f' {key}="{escape(value)}"' for key, value in kept.items())
        # Pandoc forgets the anchor of a paragraph or a list item, but not one just inside it.
        if tag == "p" and kept.get("id"):
            return f"<p><span{written}></span>"
        return f"<li><div{written}>" if tag == "li" and kept.get("id") else f"<{tag}{written}>"


class Page:
    """A cleaned page: its body, and what its head says."""

    def __init__(self, cleaner: _Cleaner) -> None:
        self.body = "".join(cleaner.out)
        self.title = texts.clean("".join(cleaner.title or cleaner.spoken_title)) or None
        self.author, self.language = cleaner.author, cleaner.language
        self.kinds = frozenset(cleaner.kinds)
        self.n_licences = cleaner.n_licences


def tidy(html: str, *, name: Link = str, link: Link = str) -> Page:
    """Return a page ready for pandoc.

    Args:
        html: The page.
        name: Maps an anchor to the name it gets.
        link: Maps a link target likewise.

    Raises:
        RecursionError: Elements are nested too deeply.
    """
    cleaner = _Cleaner(name, link)
    cleaner.feed(html)
    cleaner.close()
    return Page(cleaner)
