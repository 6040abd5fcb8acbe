# syntax=docker/dockerfile:1
# The application in an image: the first stage installs, the last one only runs.
# See docs/operation.md for how to start it: non-root, its root file system may be read-only.

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/base.txt .
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps -r base.txt \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib
COPY alembic.ini /srv/
COPY alembic /srv/alembic
COPY app /srv/app
RUN python -m compileall -q /srv && mkdir /data

FROM python:3.11-slim-bookworm
RUN pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv /srv
COPY --from=build --chown=10001:10001 /data /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PARTNERSHIP_HOST=0.0.0.0 \
    PARTNERSHIP_PORT=8000 \
    PARTNERSHIP_DATABASE_URL=sqlite:////data/partnership.db
WORKDIR /srv
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PARTNERSHIP_PORT\"]}/health/live', timeout=2)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve"]
