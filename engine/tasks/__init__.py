"""The tasks that users know: each takes a loaded model and plain values, and yields results."""
