"""The rules of the fleet: pure. Time is an argument; nothing here waits, stores or sends."""
