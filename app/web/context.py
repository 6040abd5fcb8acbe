"""What a running application holds: made once at the start, reached by every door."""

from dataclasses import dataclass, field

from app.database import Database
from app.integrations import hooks
from app.integrations.bus import Bus
from app.integrations.oidc import Providers
from app.settings import Settings
from app.web.assets import Assets
from app.web.export_files import Running
from app.web.followers import Followers
from app.web.limits import Limiter
from app.web.metrics import Measures
from app.web.streams import Streams
from app.web.templating import Templates


@dataclass(slots=True)
class Context:
    """The parts of one process."""

    settings: Settings
    database: Database
    assets: Assets
    templates: Templates
    bus: Bus
    streams: Streams
    followers: Followers
    providers: Providers
    limiter: Limiter
    measures: Measures
    hooks: hooks.Caller
    exports: Running = field(default_factory=Running)
