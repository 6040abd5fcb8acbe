"""The door of the clock: durable work outside a request."""
