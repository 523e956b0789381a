"""The documents as pages: complete, linked, safe and found."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from bookingflow.handbook import CHANGELOG, FIRST, Page, handbook
from common.errors import ErrorCode
from developers.operations import operations

DOCS = "/backend/docs/"


def pages() -> list[Page]:
    """Not a list of parameters: it takes a second, and every process imports every test."""
    return list(handbook().pages.values())


class Reader(HTMLParser):
    """A page's headings, ids and links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)


@pytest.fixture(autouse=True)
def uncollected_static_files(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def test_every_chapter_is_a_page_with_one_title_and_is_kept_until_it_changes() -> None:
    for page in pages():
        answer = get(page.url)

        assert answer.status_code == 200, page.url
        text, title = answer.content.decode(), page.title.replace("'", "&#x27;")
        assert f"<title>{title} · BookingFlow docs</title>" in text, page.url
        assert Reader(text).headings.count("h1") == 1, page.url
        assert len(Reader(text).ids) == len(set(Reader(text).ids)), page.url
        assert f'aria-current="page">{title}<' in text, page.url
        assert get(page.url, **{"If-None-Match": answer["ETag"]}).status_code == 304, page.url


def test_every_chapter_is_markdown_too_and_part_of_the_one_document() -> None:
    for page in pages():
        answer = get(page.markdown_url)

        assert answer["Content-Type"] == "text/markdown; charset=utf-8", page.url
        source = "CHANGELOG.md" if page.slug == CHANGELOG else "docs/api.md"
        assert answer.content.decode().strip() in (settings.BASE_DIR / source).read_text(), page.url


def test_every_link_leads_to_a_page_and_every_anchor_to_a_place(db: None) -> None:
    read: dict[str, Reader | None] = {}

    def reader(path: str) -> Reader | None:
        if path not in read:
            answer = Client().get(path)
            ok = answer.status_code in (200, 302)
            read[path] = Reader(answer.content.decode()) if ok and answer["Content-Type"].startswith("text/html") else None
            assert ok, path
        return read[path]

    broken = []
    for start in ["/", "/developers", f"{DOCS}search?q=hold", *(page.url for page in pages())]:
        for link in dict.fromkeys(reader(start).links):
            target, anchor = urldefrag(urljoin(start, link))
            if link.startswith(("https://", "/admin", "/dashboard?")):
                continue
            found = reader(target)
            if anchor and (found is None or anchor not in found.ids):
                broken.append(f"{start} → {link}")
    assert broken == []


def test_the_anchors_are_those_of_the_one_document() -> None:
    text = re.sub(r"```.*?```", "", (settings.BASE_DIR / "docs" / "api.md").read_text(), flags=re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    sections = [section for page in pages() for section in page.sections if page.slug != "changelog"]

    assert [section.title for section in sections] == [title.replace("`", "") for title in titles]
    for error in ErrorCode:
        assert handbook().anchors[f"error-{error.code}"].page.slug == "reference/error-codes"


def test_every_operation_can_be_tried() -> None:
    tried = re.findall(r"playground\?operation=(\w+)", "".join(page.html for page in pages()))

    assert tried == list(operations())


def test_html_in_the_documents_is_text() -> None:
    from bookingflow import handbook as module

    rendered = module._MARKDOWN.render("<script>alert(1)</script> [x](javascript:alert(1)) ![](https://elsewhere.example/x.png)")

    assert "<script" not in rendered
    assert 'href="javascript' not in rendered
    assert not any("<script" in page.html or " style=" in page.html or "<img" in page.html for page in pages())


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("idempotency", "/backend/docs/idempotency"),
        ("Time Zones", "/backend/docs/time"),
        ("slot_unavailable", "/backend/docs/reference/error-codes#error-slot_unavailable"),
        ("list bookings", "/backend/docs/reference/bookings#list-bookings"),
        ("rotate endpoint secret", "/backend/docs/reference/webhooks#rotate-an-endpoints-secret"),
    ],
)
def test_a_search_finds_the_right_section_first(query: str, first: str) -> None:
    assert handbook().search(query)[0].section.url == first


def test_a_search_works_without_scripts_and_as_one_types() -> None:
    whole, part = get(f"{DOCS}search?q=webhook"), get(f"{DOCS}search?q=webhook", **{"HX-Request": "true"})

    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    assert "<mark>" in part.content.decode()
    assert "HX-Request" in part["Vary"]


def test_a_program_gets_what_is_found_as_json(db: None) -> None:
    answer = Client().get(f"{DOCS}search?q=insufficient_seats", headers={"Accept": "application/json"})

    assert answer["Content-Type"] == "application/json"
    assert "Accept" in answer["Vary"]
    found = answer.json()["data"][0]
    assert found["title"] == "error insufficient_seats"
    for link in (found["url"], found["markdown"]):
        assert Client().get(urlsplit(link).path).status_code == 200
    assert "<" not in found["excerpt"]
    assert "text/html" in Client().get(f"{DOCS}search?q=hold", headers={"Accept": "*/*"})["Content-Type"]


@pytest.mark.parametrize("query", ["", "   ", "xyzzy quux", "<b>&'\"", "(((", "\x00", "a " * 500])
def test_a_search_for_anything_is_answered_and_never_becomes_markup(query: str) -> None:
    answer = Client().get(f"{DOCS}search", {"q": query})

    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()


@pytest.mark.parametrize("path", ["nothing", "nothing.md", "reference", "../README"])
def test_what_is_no_chapter_is_not_found(path: str) -> None:
    assert get(DOCS + path).status_code == 404


def test_the_first_chapter_is_the_sites_start() -> None:
    assert handbook().pages[FIRST].url == DOCS
    assert get("/backend/docs")["Location"] == DOCS


def test_llms_txt_leads_to_every_chapter_and_every_link_of_it_leads_somewhere(db: None) -> None:
    answer = Client().get("/llms.txt")
    text = answer.content.decode()

    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert re.match(r"# .+\n\n> .+\n\n## ", text)
    links = re.findall(r"^- \[.+?\]\((.+?)\)", text, re.M)
    assert [link for link in links if not link.startswith(f"{settings.PUBLIC_URL}/")] == []
    assert {f"{settings.PUBLIC_URL}{page.markdown_url}" for page in handbook().pages.values() if page.slug != CHANGELOG} <= set(
        links
    )
    assert {link: status for link in links if (status := Client().get(urlsplit(link).path).status_code) != 200} == {}


def test_the_api_catalog_leads_to_description_documents_and_status(db: None) -> None:
    whole, head = Client().get("/.well-known/api-catalog"), Client().head("/.well-known/api-catalog")

    assert whole["Content-Type"] == 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
    assert f'<{settings.PUBLIC_URL}/.well-known/api-catalog>; rel="api-catalog"' in head["Link"]
    assert (head.status_code, head.content) == (200, b"")
    [api, tools] = whole.json()["linkset"]
    assert tools.pop("anchor") == f"{settings.PUBLIC_URL}/mcp"
    assert list(tools) == ["service-doc"]
    assert api.pop("anchor") == f"{settings.PUBLIC_URL}/api/v1/public"
    assert api["service-desc"][0]["href"] == f"{settings.PUBLIC_URL}/api/v1/public/openapi.json"
    assert api["status"][0]["href"] == f"{settings.PUBLIC_URL}/api/v1/public/status"
    for relation, links in [*api.items(), *tools.items()]:
        for link in links:
            answer = Client().get(urlsplit(link["href"]).path)
            assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, link["type"]), relation
