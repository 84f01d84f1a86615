"""One receiver's line: what it carries, what is sent over it, and in which order. Pure; time is an
argument.
"""
