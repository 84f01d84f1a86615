"""Simulated sites for the demo: real clients over the real wire and media path, in a process of their own."""
