"""The wire: HTTP and WebSocket edge, sessions, translation. Has no rules of its own."""
