"""Calls that schemathesis makes up, from what the document says alone."""

from typing import Final

FAR: Final = 7_000_000
"""The tokens with which calls are made have ids above this, which nobody guesses."""
