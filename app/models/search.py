"""The full-text index over ideas: FTS5 on SQLite, a GIN index on PostgreSQL."""

from sqlalchemy import DDL, event

from app.models.base import metadata

_FORGET = (
    "INSERT INTO idea_search(idea_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);"
)
_LEARN = "INSERT INTO idea_search(rowid, title, body) VALUES (new.id, new.title, new.body);"
_KIND = "content='idea', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='3'"

SQLITE = (
    f"CREATE VIRTUAL TABLE idea_search USING fts5(title, body, {_KIND})",
    f"CREATE TRIGGER idea_search_insert AFTER INSERT ON idea BEGIN {_LEARN} END",
    f"CREATE TRIGGER idea_search_delete AFTER DELETE ON idea BEGIN {_FORGET} END",
    f"CREATE TRIGGER idea_search_update AFTER UPDATE OF title, body ON idea BEGIN {_FORGET} {_LEARN} END",
)

POSTGRESQL_VECTOR = (
    "to_tsvector('simple', translate(lower(title || ' ' || body), 'ČŠŽĆĐčšžćđ', 'cszcdcszcd'))"
)
"""What is searched: whole words, Slovene letters without their marks, as people type on phones.

Capitals with marks are named too: in a database with the C locale `lower` leaves them as they are.
"""

POSTGRESQL = (f"CREATE INDEX ix_idea_search ON idea USING gin ({POSTGRESQL_VECTOR})",)


def _after_create(statement: str, dialect: str) -> None:
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
    event.listen(metadata, "after_create", ddl.execute_if(dialect=dialect))


for _statement in SQLITE:
    _after_create(_statement, "sqlite")
for _statement in POSTGRESQL:
    _after_create(_statement, "postgresql")
