"""The embedded forwarding unit: a process that routes encrypted pictures and sound, and decodes none."""
