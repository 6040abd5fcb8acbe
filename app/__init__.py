"""Partnership for Change: civil servants and company staff decide and deliver together."""

__version__ = "0.1.0"
