"""The rules of a meeting: pure, single-threaded, time as an argument."""
