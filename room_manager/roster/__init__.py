"""Units, districts, accent-free search, Vietnamese order: pure, but for ``builtin``, which reads files."""
