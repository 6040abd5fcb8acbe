"""What public pages tell search engines and previews of themselves, in the words of schema.org.

It is data within the page and no script: the content security policy lets no browser run it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.lib.i18n import LANGUAGES
from app.services.open_data import FileView, OpenDataView
from app.services.programmes import ProgrammeView
from app.web import catalogue
from app.web.templating import translations

Json = dict[str, Any]


def site(base_url: str, language: str) -> Json:
    """The site as a whole, for its first page."""
    return {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": translations(language).gettext("Partnership for Change"),
        "url": f"{base_url}/",
        "inLanguage": list(LANGUAGES),
    }


def programme(base_url: str, view: ProgrammeView, challenges: Iterable[Any]) -> Json | None:
    """A programme's page with its challenges; nothing of one that is for members alone."""
    if view.visibility != "public":
        return None
    return {
        "@context": "https://schema.org",
        "@type": "CollectionPage",
        "name": view.name,
        "description": view.description,
        "url": f"{base_url}/programmes/{view.slug}",
        "inLanguage": view.language,
        "mainEntity": {
            "@type": "ItemList",
            "itemListElement": [
                {
                    "@type": "ListItem",
                    "position": position,
                    "item": {
                        "@type": "CreativeWork",
                        "name": each.title,
                        "abstract": each.summary,
                        "inLanguage": each.language,
                        "url": f"{base_url}/challenges/{each.id}",
                    },
                }
                for position, each in enumerate(challenges, start=1)
            ],
        },
    }


def open_data(
    base_url: str,
    view: ProgrammeView,
    opened: OpenDataView,
    tables: Mapping[str, Sequence[FileView]],
    language: str,
) -> Json:
    """A programme's open data, a dataset for each table."""
    page = f"{base_url}/programmes/{view.slug}/open-data"
    publisher = {"@type": "Organization", "name": opened.publisher, "email": opened.contact}
    told = translations(language).gettext
    return {
        "@context": "https://schema.org",
        "@type": "DataCatalog",
        "name": told("Open data of %(name)s") % {"name": view.name},
        "description": opened.description or view.description,
        "url": page,
        "publisher": publisher,
        "license": opened.licence_address,
        "dataset": [
            {
                "@type": "Dataset",
                "name": f"{view.name}: {told(catalogue.NAMES[table])}",
                "description": told(catalogue.MEANINGS[table]),
                "url": f"{page}#{table}",
                "creator": publisher,
                "license": opened.licence_address,
                "isAccessibleForFree": True,
                "keywords": [told(each) for each in catalogue.KEYWORDS],
                "dateModified": max(file.changed_at for file in files).date().isoformat(),
                "distribution": [
                    {
                        "@type": "DataDownload",
                        "contentUrl": f"{page}/{file.name}",
                        "encodingFormat": catalogue.MEDIA_TYPES[file.form].partition(";")[0],
                    }
                    for file in files
                ],
            }
            for table, files in tables.items()
        ],
    }
