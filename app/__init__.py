"""The Qt desktop app: panes over the engine, nothing of it knows a tensor."""

from app.immortal import make_constants_immortal

make_constants_immortal()
