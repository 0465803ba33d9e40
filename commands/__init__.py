"""The rules: what each command rests on, and what it decides. Pure: no input, no output, no clock."""
