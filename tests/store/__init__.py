"""The stores: one contract, three engines, and what only one of them must stand."""
