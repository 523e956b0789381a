"""Settings → Developers → Snippets: the first calls, ready to copy. They are the files of docs/snippets, which the tests run."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dashboard.access import PageRequest, page
from dashboard.highlight import highlighted

FOLDER = settings.BASE_DIR / "docs" / "snippets"
# language → its name, how a file is run, (file, the highlighter's word); curl has no webhook receiver of its own
LANGUAGES: dict[str, dict[str, Any]] = {
    "curl": {"label": "curl", "run": "bash quickstart.sh", "quickstart": ("quickstart.sh", "sh"), "receive": None},
    "python": {
        "label": "Python",
        "run": "python quickstart.py",
        "quickstart": ("quickstart.py", "python"),
        "receive": ("receive.py", "python"),
    },
    "javascript": {
        "label": "JavaScript",
        "run": "node quickstart.mjs",
        "quickstart": ("quickstart.mjs", "javascript"),
        "receive": ("receive.mjs", "javascript"),
    },
}


@page()
def developers_snippets(request: PageRequest) -> HttpResponse:
    chosen = request.GET.get("language", "curl")
    chosen = chosen if chosen in LANGUAGES else "curl"
    here = reverse("dashboard:developers_snippets")
    context = {
        "public_url": settings.PUBLIC_URL,
        "run": LANGUAGES[chosen]["run"],
        "quickstart": _file(LANGUAGES[chosen]["quickstart"]),
        "receive": _file(LANGUAGES[chosen]["receive"]),
        "languages": [
            {"label": one["label"], "url": f"{here}?language={name}", "active": name == chosen} for name, one in LANGUAGES.items()
        ],
    }
    return render(request, "dashboard/developers/snippets.html", context)


def _file(told: tuple[str, str] | None) -> dict[str, str] | None:
    if told is None:
        return None
    name, language = told
    return {"name": name, "code": highlighted((FOLDER / name).read_text(), language)}
