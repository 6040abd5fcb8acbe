"""Settings in, ASGI application out: assembles, decides nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from threading import Thread

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import __version__, routers
from app.database import Database
from app.integrations import hooks, identity_providers, queue
from app.integrations.bus import Bus
from app.integrations.http import Guarded
from app.integrations.oidc import Providers
from app.routers import api
from app.settings import Settings
from app.settings import settings as read_settings
from app.web import assets, fresh_sign_ins, health, live, problems
from app.web.context import Context
from app.web.delivery import Delivery
from app.web.followers import Followers
from app.web.gateway import Gateway
from app.web.limits import Limiter
from app.web.metrics import Measures
from app.web.streams import Streams
from app.web.templating import Templates


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The whole application, gateway outermost; nothing is opened before it starts."""
    settings = settings or read_settings()
    context = assemble(settings)
    app = FastAPI(
        title="Partnership for Change",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(context),
    )
    app.state.context = context
    health.watch(context.measures, context.database)
    problems.install(app)
    fresh_sign_ins.install(app)
    routers.register_hot(app)
    api.register(app)
    routers.register(app)
    app.include_router(health.router)
    app.mount("/static", context.assets)
    if settings.environment == "demo":
        _mount_demo(app, context)
    return Gateway(
        app,
        settings=settings,
        measures=context.measures,
        form_targets=context.providers.origins(),
        inside=Delivery(app, context.database),
    )


def assemble(settings: Settings) -> Context:
    """The parts of one process, none of them started."""
    database = Database(settings.database)
    served = assets.load()
    templates = Templates(assets=served)
    bus = Bus(database, settings.redis)
    allow_loopback = settings.environment == "demo"
    streams = Streams(database, bus, live.renderer(database, templates), live.presence_renderer(templates))
    return Context(
        settings=settings,
        database=database,
        assets=served,
        templates=templates,
        bus=bus,
        streams=streams,
        followers=Followers(database, bus),
        providers=Providers(
            identity_providers.load(settings),
            base_url=settings.base_url,
            transport=Guarded(allow_loopback=allow_loopback),
            allow_loopback=allow_loopback,
        ),
        limiter=Limiter(settings),
        measures=Measures(),
        hooks=hooks.Caller(allow_loopback=allow_loopback, timeout_s=hooks.CHECK_S),
    )


def _lifespan(context: Context) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        context.database.after_commit(context.bus.committed)
        context.bus.start()
        context.streams.start()
        if context.settings.smtp_url:
            Thread(target=queue.prepare, args=(context.database.writes,), daemon=True).start()
        yield
        await context.streams.close()
        context.followers.close_all()
        await context.bus.close()
        await context.limiter.close()
        context.database.close()

    return lifespan


def _mount_demo(app: FastAPI, context: Context) -> None:
    """The demo's identity provider, imported only where it is wanted."""
    from app.demo import provider

    app.mount("/demo-identity", provider.create(context))
