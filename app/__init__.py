"""The Qt desktop app: panes over the engine, nothing of it knows a tensor."""
