"""What ends a command early, as a person is told it."""


class Bad(Exception):
    """What was asked for cannot be done as written. One line, naming the row or field; exit code 2."""


class Failed(Exception):
    """The input was fine, the machine was not: a port taken, a file not writable. Exit code 1."""
