"""Finding rows by the beginnings of words, by an index of PostgreSQL's core, whatever the number of rows.

A row's words, each behind its organization's key, are a `tsvector` in a GIN index; what is typed becomes a `tsquery` of
prefixes. So one look into the index answers for one organization. A phone number is there forwards and, behind a `~`,
backwards: people know the end of a number, or write it without its country.
"""

import re
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, F, Func, Value

SEPARATORS = r"[\s@.,;:/'’\"()_\\-]+"  # between words, for Python and PostgreSQL; ' and \ may not reach a tsquery
MOST_WORDS = 8
_PHONE = re.compile(r"[+0-9][0-9 ()./-]{3,}")


class Words(Func):
    """The words of a row with an `organization`: of the texts (fields or expressions), and of a phone number."""

    output_field = SearchVectorField()

    def __init__(self, *texts: Any, phone: Any) -> None:
        super().__init__(F("organization"), *texts, phone)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **more: Any) -> Any:
        compiled = [compiler.compile(expression) for expression in self.get_source_expressions()]
        (key, _), *texts, (phone, phone_params) = compiled
        every = [
            *(f"coalesce({text}, '')" for text, _ in texts),
            f"coalesce({phone}, '')",
            f"'~' || reverse(coalesce({phone}, ''))",
        ]
        params = [*(param for _, given in texts for param in given), *phone_params, *phone_params]
        text, between = " || ' ' || ".join(every), SEPARATORS.replace("'", "''")
        text = f"regexp_replace(lower({text}), '{between}', ' ' || {key}::text || ':', 'g')"
        return f"array_to_tsvector(string_to_array({key}::text || ':' || {text}, ' '))", params


class _Matches(Func):
    template, arg_joiner, output_field = "(%(expressions)s)", " @@ ", BooleanField()


def matches(words: Words, typed: str, *, organization: int) -> Any:
    """A condition: the row has a word that begins with each of those typed. None where nothing searchable was typed."""
    query = _query(typed, organization)
    return query and _Matches(words, Func(Value(query), template="lower(%(expressions)s)::tsquery"))


def _query(typed: str, organization: int) -> str:
    number = typed.strip()
    if _PHONE.fullmatch(number):
        return _numbers(number, organization)
    words = [word for word in re.split(SEPARATORS, typed.replace("\0", " ")) if word]
    return " & ".join(_prefix(word, organization) for word in words[:MOST_WORDS])


def _numbers(typed: str, organization: int) -> str:
    """A phone number as it is dialed, nationally or in full; its end; or a number of another kind."""
    digits = re.sub(r"[^0-9]", "", typed)
    international = digits.removeprefix("00")
    end = digits.lstrip("0")[::-1]
    found = [f"+{international}", *([] if typed.startswith("+") else [f"~{end}" if end else "", *_plain(typed)])]
    return " | ".join(_prefix(word, organization) for word in found if word)


def _plain(typed: str) -> list[str]:
    return [typed] if typed.isdigit() else []


def _prefix(word: str, organization: int) -> str:
    return f"'{organization}:{word}':*"
