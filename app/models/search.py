"""The full-text index over ideas: FTS5 on SQLite, a GIN index on PostgreSQL."""

from sqlalchemy import DDL, event

from app.models.base import metadata

SQLITE = (
    "CREATE VIRTUAL TABLE idea_search USING fts5("
    "title, body, content='idea', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='3')",
    "CREATE TRIGGER idea_search_insert AFTER INSERT ON idea BEGIN "
    "INSERT INTO idea_search(rowid, title, body) VALUES (new.id, new.title, new.body); END",
    "CREATE TRIGGER idea_search_delete AFTER DELETE ON idea BEGIN "
    "INSERT INTO idea_search(idea_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); END",
    "CREATE TRIGGER idea_search_update AFTER UPDATE OF title, body ON idea BEGIN "
    "INSERT INTO idea_search(idea_search, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); "
    "INSERT INTO idea_search(rowid, title, body) VALUES (new.id, new.title, new.body); END",
)

POSTGRESQL_VECTOR = "to_tsvector('simple', translate(lower(title || ' ' || body), 'čšžćđ', 'cszcd'))"
"""What is searched: words without endings cut, Slovene letters without their marks, as people type on phones."""

POSTGRESQL = (f"CREATE INDEX ix_idea_search ON idea USING gin ({POSTGRESQL_VECTOR})",)

for _statement in SQLITE:
    event.listen(metadata, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
for _statement in POSTGRESQL:
    event.listen(
        metadata, "after_create", DDL(_statement.replace("%", "%%")).execute_if(dialect="postgresql")
    )
