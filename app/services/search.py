"""Finding ideas by their words: one interface over SQLite FTS5 and PostgreSQL full text."""

import re
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import literal_column, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from app.models import Idea
from app.models.base import table
from app.models.idea import OPEN
from app.models.search import POSTGRESQL_VECTOR

IDEA = table(Idea)

MOST_WORDS = 12
_WORD = re.compile(r"\w{2,40}")
_PLAIN = str.maketrans("čšžćđ", "cszcd")


def phrase(dialect: str, query: str) -> str:
    """What `matching` is to find for `query`: every word of it, the last one perhaps cut short; empty without words."""
    words = _words(query)
    if not words:
        return ""
    if dialect == "sqlite":
        return " ".join([*(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"*'])
    return " & ".join([*words[:-1], f"{words[-1]}:*"])


def matching(dialect: str) -> ColumnElement[bool]:
    """The condition that an idea holds the phrase in the parameter `search`."""
    if dialect == "sqlite":
        found = text("idea.id IN (SELECT rowid FROM idea_search WHERE idea_search MATCH :search)")
    else:
        found = text(f"{POSTGRESQL_VECTOR} @@ to_tsquery('simple', :search)")
    return cast("ColumnElement[bool]", found)


def similar(
    connection: Connection, challenge_id: int, title: str, *, limit: int = 3, except_id: int = 0
) -> Sequence[Any]:
    """Open ideas of the challenge (id, title, language) that share words with `title`, the closest first."""
    words = [word for word in _words(title) if len(word) > 3]
    if not words:
        return []
    if connection.dialect.name == "sqlite":
        source = text("idea_search MATCH :search")
        order: ColumnElement[Any] = literal_column("bm25(idea_search, 3.0, 1.0)")
        phrase = " OR ".join(f'"{_stem(word)}"*' for word in words)
        statement = (
            select(IDEA.c.id, IDEA.c.title, IDEA.c.language)
            .select_from(IDEA.join(text("idea_search"), literal_column("idea_search.rowid") == IDEA.c.id))
            .where(source)
            .order_by(order)
        )
    else:
        phrase = " | ".join(f"{_stem(word)}:*" for word in words)
        query = "to_tsquery('simple', :search)"
        statement = (
            select(IDEA.c.id, IDEA.c.title, IDEA.c.language)
            .where(text(f"{POSTGRESQL_VECTOR} @@ {query}"))
            .order_by(text(f"ts_rank({POSTGRESQL_VECTOR}, {query}) DESC"))
        )
    return connection.execute(
        statement.where(IDEA.c.challenge_id == challenge_id, IDEA.c.state == OPEN, IDEA.c.id != except_id)
        .order_by(IDEA.c.id)
        .limit(limit),
        {"search": phrase},
    ).all()


def _words(query: str) -> list[str]:
    return [word.translate(_PLAIN) for word in _WORD.findall(query.lower())][:MOST_WORDS]


def _stem(word: str) -> str:
    """The word without its ending, so that Slovene cases find one another."""
    return word[: max(4, len(word) - 2)]
