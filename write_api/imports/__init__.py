"""History brought in from files: CSV of several shapes, and JSON Lines. Running again adds nothing."""
