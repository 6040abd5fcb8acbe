"""Measured against the floor: how much more than the bare job the application costs."""
