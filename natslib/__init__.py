"""natslib: the NATS-Bench paper, alive."""

__version__ = "0.1.0"
