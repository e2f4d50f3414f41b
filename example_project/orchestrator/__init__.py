"""What stands behind ``make run``: start everything, play one conversation, stop everything."""
