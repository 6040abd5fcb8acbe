"""May they? Permissions, rules, scopes and the one who asks."""
