"""Read models: each a fold of the log into tables, kept in real time, rebuilt at will."""
