"""Meetings: their rules, their journal, their media. Knows nothing of HTTP or browsers."""
