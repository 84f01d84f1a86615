"""Durable truth: the journal of every room, and the tables beside it. SQL, and nothing of who asks."""
