"""The command line ``diemcau``. Bad input is one line naming the row or field at fault, and exit code 2."""
