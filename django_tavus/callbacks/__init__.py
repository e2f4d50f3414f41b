"""What Tavus calls."""
