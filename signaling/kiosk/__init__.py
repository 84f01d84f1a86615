"""The devices at the wire: enrolment, tokens, lines, evidence. No rules of its own."""
