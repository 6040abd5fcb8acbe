"""The demo: a programme to look at, and an identity provider to sign in with."""
