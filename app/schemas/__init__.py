"""Shapes at the door: what the API takes and gives, what a form holds."""
