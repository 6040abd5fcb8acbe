"""Copies of one's own data: made outside any request, and gone when they expire."""

from functools import lru_cache

from app.errors import Unavailable
from app.jobs.workplace import Workplace
from app.lib.i18n import DEFAULT, known
from app.services import data_exports
from app.web import data_files
from app.web.templating import Templates


def make(workplace: Workplace, *, export_id: int) -> str:
    """Make one copy; nothing, if nobody waits for it any more. Done again after a worker's death, it is made anew."""
    database = workplace.database
    reader = database.read_now(lambda connection: data_exports.reader(connection, export_id))
    if reader is None:
        return "nothing to do"
    language = known(reader.language) or DEFAULT
    try:
        content = database.read_now(
            lambda connection: data_files.make(connection, _templates(), reader.person_id, language)
        )
    except Unavailable:
        raise  # the line begins it again
    except Exception:
        # Whatever it was, nobody shall wait for a copy that does not come.
        database.write_now(lambda tx: data_exports.finish(tx, export_id, None))
        raise
    database.write_now(lambda tx: data_exports.finish(tx, export_id, content))
    return "made"


def expire(workplace: Workplace) -> int:
    """Delete the copies that can be fetched no longer; how many those were."""
    return workplace.database.write_now(data_exports.expire)


@lru_cache
def _templates() -> Templates:
    return Templates()
