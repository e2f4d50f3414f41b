"""The page where people meet: waiting, joining, leaving, and what was said."""
