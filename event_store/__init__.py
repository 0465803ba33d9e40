"""The log: appended by one ordered writer, followed without gaps, sealed, archived and relayed."""
