"""Give no id a second time on SQLite, as PostgreSQL never does.

SQLite gives the largest id out again once its row is deleted, unless its key says AUTOINCREMENT. That touches no row,
so what the tables say of themselves is changed in place, as sqlite.org/lang_altertable.html describes it: at once,
however many rows there are, with indices, triggers and references as they were.

Revision ID: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

PLAIN, COUNTED = "PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)"

JOBS = {"data_export": "data-export-", "import": "import-", "notice": "notice-", "webhook": "hook-"}
"""Tables whose rows go sooner than the jobs that bear their ids in their names."""


def upgrade() -> None:
    """Lead to this revision."""
    if op.get_bind().dialect.name != "sqlite":
        return
    # The first table of its kind brings `sqlite_sequence` along, where the last id of each stands.
    op.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    op.execute("DROP TABLE counted")
    knows_jobs = sa.inspect(op.get_bind()).has_table("workflow_status")
    for table in _changed(PLAIN, COUNTED):
        of_jobs = _last_of_jobs(JOBS[table]) if knows_jobs and table in JOBS else "0"
        op.execute(
            "INSERT INTO sqlite_sequence (name, seq) "  # noqa: S608 -- our own names
            f"SELECT '{table}', max(coalesce(max(id), 0), {of_jobs}) FROM \"{table}\""
        )


def downgrade() -> None:
    """Lead back from it."""
    if op.get_bind().dialect.name == "sqlite":
        for table in _changed(COUNTED, PLAIN):
            op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{table}'")  # noqa: S608


def _changed(before: str, after: str) -> Sequence[str]:
    """Let each of our tables say `after` where it says `before`; their names."""
    connection = op.get_bind()
    ours = f"type = 'table' AND sql LIKE '%CONSTRAINT pk!_% {before}%' ESCAPE '!'"
    names = connection.exec_driver_sql(f"SELECT name FROM sqlite_master WHERE {ours}").scalars().all()  # noqa: S608
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    op.execute("PRAGMA writable_schema = ON")
    op.execute(f"UPDATE sqlite_master SET sql = replace(sql, '{before}', '{after}') WHERE {ours}")  # noqa: S608
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = RESET")
    return names


def _last_of_jobs(prefix: str) -> str:
    """The largest id in the names of jobs: as SQL, since a cast reads a number to where it ends."""
    return (
        f"(SELECT coalesce(max(CAST(substr(workflow_uuid, {len(prefix) + 1}) AS INTEGER)), 0)"  # noqa: S608
        f" FROM workflow_status WHERE workflow_uuid GLOB '{prefix}[0-9]*')"
    )
