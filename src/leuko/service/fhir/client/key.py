"""The private key by which this client shows who it is, and the public half that the server is given."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from leuko.errors import UnreadableInput, UsageError

_LEAST_BITS: Final = 2048  # RFC 7518, section 3.3
_ADVICE: Final = "openssl ecparam -name secp384r1 -genkey -noout -out leuko.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A private key, the algorithm that SMART signs with it (ES384 or RS384), and its name at the server."""

    private: EllipticCurvePrivateKey | RSAPrivateKey = field(repr=False)
    algorithm: str
    kid: str

    def public(self) -> dict[str, Any]:
        """The public half as a JSON Web Key, to be registered at the server."""
        return {**_public(self.private), "kid": self.kid, "alg": self.algorithm, "use": "sig", "key_ops": ["verify"]}


def read_key(path: Path, *, kid: str = "") -> Key:
    """Read a key: PEM, a JSON Web Key, or a set of one with private parts. Raises UnreadableInput, UsageError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableInput("the key cannot be read", where=str(path), why=str(error.strerror)) from error
    try:
        private, named = _from_json(content) if content.lstrip()[:1] == b"{" else (_from_pem(content), "")
    except (ValueError, TypeError, UnsupportedAlgorithm, PyJWTError) as error:
        why = "it is encrypted" if "password" in str(error).casefold() else "it is no private key that can be read"
        raise UnreadableInput(
            "the key cannot be used", where=str(path), why=why, do=f"give an unencrypted PEM or JWK: {_ADVICE}"
        ) from error
    return _key(private, kid or named, path)


def _from_pem(content: bytes) -> object:
    return load_pem_private_key(content, password=None)


def _from_json(content: bytes) -> tuple[object, str]:
    whole = json.loads(content)
    keys = whole.get("keys", [whole])
    own = [one for one in keys if isinstance(one, dict) and "d" in one]
    if len(own) != 1:
        raise ValueError("a set with one private key is needed")
    return PyJWK(own[0], algorithm=own[0].get("alg")).key, str(own[0].get("kid", ""))


def _key(private: object, kid: str, path: Path) -> Key:
    match private:
        case EllipticCurvePrivateKey() if isinstance(private.curve, SECP384R1):
            return Key(private=private, algorithm="ES384", kid=kid or _thumbprint(private))
        case RSAPrivateKey() if private.key_size >= _LEAST_BITS:
            return Key(private=private, algorithm="RS384", kid=kid or _thumbprint(private))
        case _:
            raise UsageError(
                "SMART backend services do not sign with this kind of key",
                where=str(path),
                why=f"it takes a key on the curve P-384 (ES384), or RSA of {_LEAST_BITS} bits or more (RS384)",
                do=_ADVICE,
            )


def _public(private: EllipticCurvePrivateKey | RSAPrivateKey) -> dict[str, Any]:
    if isinstance(private, RSAPrivateKey):
        made = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
        return {name: made[name] for name in ("kty", "n", "e")}
    made = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: made[name] for name in ("kty", "crv", "x", "y")}


def _thumbprint(private: EllipticCurvePrivateKey | RSAPrivateKey) -> str:
    """The name of a key that follows from the key itself (RFC 7638)."""
    needed = json.dumps(dict(sorted(_public(private).items())), separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(needed.encode()).digest()).rstrip(b"=").decode()
