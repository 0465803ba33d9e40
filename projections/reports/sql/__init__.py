"""The views that reports and analysts ask."""
