"""The Qt desktop app: panes over the engine, nothing of it knows a tensor."""

from app.immortal_bools import make_bools_immortal

make_bools_immortal()
