"""Pure helpers that know nothing of us."""
