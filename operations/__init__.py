"""Running it: settings, command line, embedded PostgreSQL, identity, supervision."""
