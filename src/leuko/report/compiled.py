"""Templates compiled once: Jinja's code for each is kept, and made anew where its text, Jinja or Python is another.

Compiling the templates of the page takes as long as filling them.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leuko.keeping import find, keep

if TYPE_CHECKING:
    from jinja2.bccache import Bucket, BytecodeCache

_HERE: Final = Path(__file__).parent
_MAKERS: Final = ("page.py", "outline.py")  # the environment, and the words that stand in for what is constant


def kept() -> BytecodeCache:
    """Where Jinja finds the code of a template; Jinja itself checks that it was made from the text that it has."""
    import jinja2  # noqa: PLC0415 (only views that are filled from templates need it)
    from jinja2.bccache import BytecodeCache  # noqa: PLC0415

    made_from = sha256(b"".join((_HERE / name).read_bytes() for name in _MAKERS)).hexdigest()[:12]
    made_for = f"{sys.implementation.cache_tag}-jinja{jinja2.__version__}"

    class Kept(BytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            code = find(self._file(bucket, made_from), _HERE)
            if code is not None:
                bucket.bytecode_from_string(code)

        def dump_bytecode(self, bucket: Bucket) -> None:
            code = bucket.bytecode_to_string()
            keep(self._file(bucket, made_from), code, _HERE, instead_of=self._file(bucket, "*"))

        def _file(self, bucket: Bucket, edition: str) -> str:
            return f"template-{bucket.key[:16]}-{edition}.{made_for}.code"

    return Kept()
