"""The contract of the log: every event, its vocabulary, and the boundaries that decisions rest on."""
