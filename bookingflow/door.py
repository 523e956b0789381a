"""Where a request comes in from the web server, before any middleware: what is wrong there would be answered by nobody."""

import re
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

# Parameters of a media type that are read by no view, and that Django and DRF trip over: continued and encoded ones (RFC 2231),
# and a charset that Python knows but that is none of texts, such as rot13. Texts are UTF-8 here, whatever a header says.
_UNREAD = re.compile(r";(?:[^;=,]*\*[^;,]*|\s*charset\s*=[^;,]*)", re.IGNORECASE)


class Request(WSGIRequest):
    def __init__(self, environ: dict[str, Any]) -> None:
        for name in ("CONTENT_TYPE", "HTTP_ACCEPT"):
            if name in environ:
                environ[name] = _UNREAD.sub("", environ[name])
        super().__init__(environ)


class Door(WSGIHandler):
    request_class = Request
