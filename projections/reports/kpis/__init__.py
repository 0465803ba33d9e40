"""A report a file: its meaning in the header, then the query over the views."""
