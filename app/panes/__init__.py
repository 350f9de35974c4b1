"""The panes of the window: home, chat, models, preferences."""
