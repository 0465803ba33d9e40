"""The log again: as of any moment, rebuilt, verified, compared; and scenario files."""
