"""Scenario files: by-law cases that parking staff write and run through the product itself."""
