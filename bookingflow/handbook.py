"""The documents as pages: the chapters of docs/api.md and the changelog, rendered once, with a search over them."""

import functools
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bookingflow.documents import Chapter, chapters
from dashboard.highlight import highlighted

DOCS: Path = settings.BASE_DIR / "docs"
FIRST = "overview"
CHANGELOG = "changelog"
LABELS = {"bash": "Shell", "sh": "Shell", "python": "Python", "javascript": "JavaScript", "json": "JSON"}
MOST_FOUND = 20
AROUND = 90  # letters of text before and after what was found
_METHOD = re.compile(r"(GET|POST|PUT|DELETE) (/\S*)")


@dataclass(slots=True)
class Section:
    """What stands under one heading."""

    page: "Page"
    anchor: str
    title: str
    level: int
    words: list[str] = field(default_factory=list)
    example: str = ""  # the operation's, where it describes one

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def url(self) -> str:
        return f"{self.page.url}#{self.anchor}" if self.level > 1 else self.page.url


@dataclass(slots=True)
class Page:
    """A chapter as the site shows it. `html` comes after the h1, which is `title`."""

    slug: str
    group: str
    title: str
    markdown: str
    tokens: list[Token]
    sections: list[Section] = field(default_factory=list)
    html: str = ""
    before: "Page | None" = None
    after: "Page | None" = None

    @property
    def url(self) -> str:
        return reverse("docs_page", args=[self.slug]) if self.slug != FIRST else reverse("docs")

    @property
    def markdown_url(self) -> str:
        return reverse("docs_page_markdown", args=[self.slug])

    @property
    def anchor(self) -> str:
        return self.sections[0].anchor

    @property
    def description(self) -> str:
        """For search engines: how it begins."""
        return Truncator(self.sections[0].text or f"{self.title}: {', '.join(one.title for one in self.contents)}").chars(155)

    @property
    def contents(self) -> list[Section]:
        return [section for section in self.sections if section.level == 2]


@dataclass(frozen=True, slots=True)
class Found:
    """A section that answers a search: `excerpt` is its text in pieces, those with a searched word marked."""

    section: Section
    excerpt: list[tuple[str, bool]]

    def as_json(self) -> dict[str, str]:
        """`markdown` is the address of the page's source."""
        section, page = self.section, self.section.page
        return {
            "title": section.title,
            "page": page.title,
            "url": settings.PUBLIC_URL + section.url,
            "markdown": settings.PUBLIC_URL + page.markdown_url,
            "excerpt": "".join(text for text, _ in self.excerpt),
        }


@dataclass(frozen=True, slots=True)
class Handbook:
    pages: dict[str, Page]  # in the order of reading
    anchors: dict[str, Section]  # those of docs/api.md; each is also the id of a heading of the site

    def groups(self) -> list[tuple[str, list[Page]]]:
        found: dict[str, list[Page]] = {}
        for page in self.pages.values():
            found.setdefault(page.group, []).append(page)
        return list(found.items())

    def search(self, query: str) -> list[Found]:
        """Sections that have every word of the query, the best first: words in the heading count most, then whole words,
        then how often; hand-written text comes before the reference.
        """
        words = [word for word in re.findall(r"\w+", query.casefold()) if word][:8]
        if not words:
            return []
        ranked: list[tuple[float, int, Section]] = []
        for page in self.pages.values():
            for section in page.sections:
                score = _score(section, words)
                if score:
                    ranked.append((-score, len(ranked), section))
        return [Found(section, _excerpt(section.text, words)) for _, _, section in sorted(ranked)[:MOST_FOUND]]


@functools.cache
def handbook() -> Handbook:
    """Made at the first call; the documents do not change while a process runs."""
    document = json.loads((DOCS / "openapi.json").read_text())
    changelog = Chapter(CHANGELOG, "Changes", (settings.BASE_DIR / "CHANGELOG.md").read_text())
    parsed: list[Page] = []
    anchors: dict[str, Section] = {}
    seen = Counter[str]()
    for chapter in [*chapters(document, DOCS), changelog]:
        page = _parsed(chapter, seen)
        parsed.append(page)
        anchors |= {section.anchor: section for section in page.sections}
    for before, page, after in zip([None, *parsed], parsed, [*parsed[1:], None], strict=False):
        page.before, page.after = before, after
        page.html = _rendered(page, anchors)
    return Handbook({page.slug: page for page in parsed}, anchors)


def _parsed(chapter: Chapter, seen: Counter[str]) -> Page:
    """The headings get the anchors that GitHub, and so every reader of docs/api.md, knows them by; the first is the page's h1."""
    tokens = _MARKDOWN.parse(chapter.text)
    shift = int(tokens[0].tag[1]) - 1
    page = Page(chapter.slug, chapter.group, chapter.title, chapter.text, tokens)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _plain(tokens[index + 1])
            token.attrs["id"] = _anchor(title, seen)
            token.tag = tokens[index + 2].tag = f"h{int(token.tag[1]) - shift}"
            section = Section(page, str(token.attrs["id"]), title, int(token.tag[1]))
            section.example = chapter.operations.get(title, "")
            page.sections.append(section)
        elif token.type in ("inline", "fence") and tokens[index - 1].type != "heading_open":
            page.sections[-1].words.append(_plain(token))
    return page


def _anchor(title: str, seen: Counter[str]) -> str:
    anchor = re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")
    seen[anchor] += 1
    return anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor] - 1}"


def _plain(token: Token) -> str:
    if not token.children:
        return token.content
    return "".join(child.content if child.type != "softbreak" else " " for child in token.children)


def _rendered(page: Page, anchors: dict[str, Section]) -> SafeString:
    tokens = page.tokens[3:]  # without the h1
    examples = {section.anchor: section for section in page.sections if section.example}
    heads: list[str] = []
    column, described = 0, None
    for index, token in enumerate(tokens):
        match token.type:
            case "heading_open":
                described = examples.get(str(token.attrs["id"]))
            case "thead_open":
                heads = []
            case "tr_open":
                column = 0
            case "th_open":
                heads.append(_plain(tokens[index + 1]))
            case "td_open":
                token.attrs["data-label"] = heads[column]
                column += 1
            case "paragraph_open" if described:
                tokens[index + 1].meta["operation"] = described
                described = None
        for child in token.children or ():
            if child.type == "link_open" and str(child.attrs["href"]).startswith("#"):
                child.attrs["href"] = anchors[str(child.attrs["href"])[1:]].url
    return mark_safe(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S308 (raw HTML is off)


def _score(section: Section, words: list[str]) -> float:
    title, text = section.title.casefold(), section.text.casefold()
    if not all(word in title or word in text for word in words):
        return 0
    score = 0.0
    for word in words:
        whole = re.compile(rf"\b{re.escape(word)}\b")
        score += (
            12 * bool(whole.search(title)) + 5 * (word in title) + 2 * bool(whole.search(text)) + min(text.count(word), 5) / 5
        )
    if " ".join(words) == title:
        score += 20
    weight = {"reference/objects": 0.5, CHANGELOG: 0.4}.get(
        section.page.slug, 0.8 if section.page.slug.startswith("reference/") else 1
    )
    return score * weight + (section.level == 1)


def _excerpt(text: str, words: list[str]) -> list[tuple[str, bool]]:
    searched = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    first = searched.search(text)
    start = max(first.start() - AROUND, 0) if first else 0
    cut = text[start : start + 2 * AROUND]
    pieces, at = [("…", False)] if start else [], 0
    for match in searched.finditer(cut):
        pieces += [(cut[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [*pieces, (cut[at:] + ("…" if start + len(cut) < len(text) else ""), False)]


# How Markdown becomes HTML


def _heading_close(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    anchor, title = escape(str(tokens[index - 2].attrs["id"])), escape(_plain(tokens[index - 1]))
    return f' <a class="docs__anchor" href="#{anchor}" aria-label="Link to: {title}">#</a></{tokens[index].tag}>\n'


def _fence(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    language, code = tokens[index].info.strip(), tokens[index].content
    label = LABELS.get(language, "Code")
    return render_to_string("components/code.html", {"code": highlighted(code, language), "label": label})


def _paragraph_open(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    """An operation's first paragraph, its method and path, with the way to try it."""
    inline = tokens[index + 1]
    section = inline.meta.get("operation")
    match = _METHOD.fullmatch(_plain(inline))
    if section is None or match is None:
        return "" if tokens[index].hidden else "<p>"
    inline.children, tokens[index + 2].hidden = [], True
    context = {"method": match[1], "path": match[2], "section": section}
    return render_to_string("docs/operation.html", context)


def _paragraph_close(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return "" if tokens[index].hidden else "</p>\n"


def _table_open(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return '<div class="panel"><table class="table">\n'


def _table_close(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    return "</table></div>\n"


_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
for _name, _rule in (
    ("heading_close", _heading_close),
    ("fence", _fence),
    ("paragraph_open", _paragraph_open),
    ("paragraph_close", _paragraph_close),
    ("table_open", _table_open),
    ("table_close", _table_close),
):
    _MARKDOWN.add_render_rule(_name, _rule)
