"""Doors for programs: JSON, the same nouns and file names as the pages."""
