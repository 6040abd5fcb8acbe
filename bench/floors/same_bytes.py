"""FastAPI gives the bytes of a file that it has read once: an answer of that size, and nothing done for it."""

import os
from pathlib import Path

from fastapi import FastAPI, Response

app = FastAPI()
BYTES = Path(os.environ["BENCH_DATABASE"]).read_bytes()


@app.get("/")
async def same() -> Response:
    """Those bytes."""
    return Response(BYTES, media_type="application/json")
