"""Verbs: every write checks the policy, applies the rule, records the event."""
