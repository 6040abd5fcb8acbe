"""The outside world: identity providers, HTTP, mail, live updates, durable work."""
