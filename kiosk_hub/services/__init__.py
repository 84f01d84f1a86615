"""Shells around the rules of the fleet: each owns its state and its tasks, and stores before it says
"done"."""
