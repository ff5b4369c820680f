"""The core of the drop-ins `natslib.nats_bench` and `natslib.nas_201_api`: the official calls, answered by a table."""
