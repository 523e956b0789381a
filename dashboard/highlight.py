"""Code in colours (spans with classes, whose colours are in static/css/pages/code.css), and the few marks of a description."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from pygments import highlight as pygmentize
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

LEXERS = {"bash", "sh", "python", "javascript", "json", "http"}  # anything else is shown plain


def highlighted(code: str, language: str) -> SafeString:
    """Escaped, and coloured where the language is known."""
    lexer = get_lexer_by_name(language if language in LEXERS else "text", stripnl=False)
    return mark_safe(pygmentize(code, lexer, _FORMATTER).rstrip("\n"))  # noqa: S308 (pygments escapes)


def described(text: str) -> SafeString:
    """Paragraphs of Markdown, such as the API's descriptions; HTML in it is shown as it stands."""
    return mark_safe(_MARKDOWN.render(text))  # noqa: S308 (raw HTML is off)


_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_FORMATTER: "HtmlFormatter[str]" = HtmlFormatter(nowrap=True)
