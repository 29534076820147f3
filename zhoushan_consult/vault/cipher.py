"""Envelopes: SM4-GCM (GB/T 32907, RFC 8998) around one text, bound to the one column where it belongs.

An envelope reads "v1.<key id>.<base64url of nonce, ciphertext and tag>". The associated data is the name of the column,
so that a ciphertext moved to another column does not open.
"""

import secrets
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from . import keyring

VERSION = "v1"
NONCE_BYTES = 12
TAG_BYTES = 16


class DecryptionError(Exception):
    """An envelope that does not open; its text may be shown to the staff and holds nothing of the content."""


def seal(text: str, place: str) -> str:
    """An envelope around `text` for the column `place` ("app_label.model.field"), under the current key.

    Two envelopes of the same text are never alike. Raises InvalidKeys, and UnicodeEncodeError for a lone surrogate.
    """
    ring = keyring.ring()
    nonce = secrets.token_bytes(NONCE_BYTES)
    body = nonce + encrypt(ring.keys[ring.current], nonce, text.encode(), place.encode())
    return prefix(ring.current) + urlsafe_b64encode(body).rstrip(b"=").decode()


def unseal(envelope: str, place: str) -> str:
    """The text in an envelope of the column `place`.

    Raises DecryptionError if it was altered, belongs elsewhere, or its key is not on the ring.
    """
    key_id, body = _taken_apart(envelope)
    key = keyring.ring().keys.get(key_id)
    if key is None:
        raise DecryptionError(
            f"这项资料是用编号为 {key_id} 的密钥封存的，密钥环中没有这把密钥，请联系科监处。"
        )
    try:
        return decrypt(key, body[:NONCE_BYTES], body[NONCE_BYTES:], place.encode()).decode()
    except InvalidTag:
        raise DecryptionError("这项资料无法解开：内容被改动过，或不属于这里，请联系科监处。") from None


def prefix(key_id: str) -> str:
    """What every envelope under the key `key_id` begins with."""
    return f"{VERSION}.{key_id}."


def is_envelope(text: str) -> bool:
    """Whether `text` has the form of an envelope; it may still not open."""
    try:
        _taken_apart(text)
    except DecryptionError:
        return False
    return True


def encrypt(key: bytes, nonce: bytes, data: bytes, about: bytes) -> bytes:
    """The ciphertext of `data` and its tag; `about` is authenticated with it."""
    encryptor = Cipher(SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(about)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def decrypt(key: bytes, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
    """The data that `encrypt` made `sealed` of. Raises InvalidTag."""
    decryptor = Cipher(SM4(key), modes.GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(about)
    return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()


def _taken_apart(envelope: str) -> tuple[str, bytes]:
    version, _, rest = envelope.partition(".")
    key_id, _, encoded = rest.partition(".")
    try:
        body = b64decode(encoded + "=" * (-len(encoded) % 4), altchars="-_", validate=True)
    except (NotBase64, ValueError):
        body = b""
    if version != VERSION or not key_id or len(body) < NONCE_BYTES + TAG_BYTES:
        raise DecryptionError("这项资料无法解开：它不是封存的格式，请联系科监处。")
    return key_id, body
