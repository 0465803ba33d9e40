"""The ways in: commands over HTTP, plate reads from devices, imports of history."""
