"""Why a calendar could not be read, in the words that its owner sees."""

from django.db import models


class Reason(models.TextChoices):
    BLOCKED_ADDRESS = "blocked_address", "The address, or one that it leads to, is not on the public internet"
    DNS = "dns", "The host name is unknown"
    REFUSED = "refused", "The host refused the connection"
    RESET = "reset", "The host closed the connection"
    TLS = "tls", "The host's certificate is not valid"
    TIMEOUT = "timeout", "It took longer than 15 seconds"
    REDIRECT = "redirect", "The address leads on to too many others"
    HTTP = "http", "The host answered with an error"
    PROTOCOL = "protocol", "What came is not an HTTP answer"
    CONNECTION = "connection", "No connection to the host"
    TOO_LARGE = "too_large", "The calendar is larger than 5 MB"
    BAD_ENCODING = "bad_encoding", "The text is not UTF-8, or packed in a way that is not read"
    NOT_A_CALENDAR = "not_a_calendar", "What came is not a calendar, but perhaps a web page"
    MALFORMED = "malformed", "The calendar is cut off or breaks the rules of iCalendar"
    TOO_MANY = "too_many", "More than 2,000 busy times in the coming 400 days, or more entries than are read"
    TOO_FREQUENT = "too_frequent", "An entry repeats every second or every minute"
    TOO_COMPLEX = "too_complex", "Its recurrences take too long to work out"
    INTERNAL = "internal", "Something went wrong on our side"
