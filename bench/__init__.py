"""Benchmarks: `python -m bench [NAME …]`; each prints one JSON object on a line of its own."""
