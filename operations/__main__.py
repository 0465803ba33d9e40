"""`python -m operations` is `parkledger`; this is how the supervisor starts its programs."""

from operations.cli import main

main()
