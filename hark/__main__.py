"""`python -m hark` is the command `hark`."""

from hark.cli import main

main()
