"""Doors for people: pages and fragments, one file per noun."""
