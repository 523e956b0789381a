"""How static files are served: compressed, under names with the hash of what is in them."""

from typing import ClassVar

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Imports between our own modules name the hashed files too: else a browser loads and runs a module under both names. (Not
    those of packages: htmx's have text in them that looks like an import.)
    """

    patterns: ClassVar = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]),
    )
