"""How fast it is, beside the least that could be done; ``python -m benchmarks``."""
