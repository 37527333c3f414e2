"""Streamed imports: bytes become lines, lines rows, rows are mapped, checked and written a thousand at a time."""
