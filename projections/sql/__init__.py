"""The SQL that every read model stands on."""
