"""The log's schema, in numbered steps."""
