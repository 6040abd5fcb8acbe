"""Mathematics: pure functions over plain data."""
