"""The knowledge that leuko reasons with: dated, cited data files, found by scan.

`load_library()` reads every TOML file below `leuko/data` (and below any further folder a site adds) into one frozen
`Library` with a content hash. Adding knowledge is adding a file; nothing is registered by hand.
"""

from __future__ import annotations

from leuko.knowledge.library import Library, load_library

__all__ = ["Library", "load_library"]
