"""The emulated chips: memory, packets and routers."""
