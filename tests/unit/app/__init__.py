"""Parts of the app that need no window."""
