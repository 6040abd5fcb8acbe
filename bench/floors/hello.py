"""FastAPI says hello."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    """The least that FastAPI does."""
    return {"message": "hello"}
