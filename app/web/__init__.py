"""What the doors share: templating, loading, forms, problems, streams."""
