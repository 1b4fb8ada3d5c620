"""The stores that the tests of the service run on."""

from fixtures.stores import address, postgresql, store

__all__ = ["address", "postgresql", "store"]
