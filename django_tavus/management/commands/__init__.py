"""The commands: thin doors to the services."""
