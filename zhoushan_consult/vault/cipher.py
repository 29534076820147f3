"""Envelopes: one text, encrypted with SM4-GCM (GB/T 32907, RFC 8998) and bound to its column.

The format is "v1.<key id>.<base64url of nonce, ciphertext and tag>". The associated data is the name of the column, so a
ciphertext that is moved to another column does not open.
"""

import secrets
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as NotBase64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from . import keyring

VERSION = "v1"
# The sizes that RFC 8998 gives for SM4-GCM.
NONCE_BYTES = 12
TAG_BYTES = 16


class DecryptionError(Exception):
    """An envelope does not open. The message may be shown to officers: it contains nothing of the content."""


def seal(text: str, column: str) -> str:
    """An envelope of `text` for the column `column` ("app_label.model.field"), with the current key.

    Two envelopes of the same text are different. Raises InvalidKeys, and UnicodeEncodeError for a lone surrogate.
    """
    ring = keyring.load_keyring()
    # A nonce used twice with one key would break GCM. 96 random bits are safe far beyond the rows of this service.
    nonce = secrets.token_bytes(NONCE_BYTES)
    body = nonce + encrypt(ring.keys[ring.current], nonce, text.encode(), column.encode())
    return prefix(ring.current) + urlsafe_b64encode(body).rstrip(b"=").decode()


def unseal(envelope: str, column: str) -> str:
    """The text in an envelope of the column `column`.

    Raises DecryptionError if it was changed, belongs to another column, or its key is not in the key ring.
    """
    key_id, body = _parse(envelope)
    key = keyring.load_keyring().keys.get(key_id)
    if key is None:
        raise DecryptionError(
            f"这项资料是用编号为 {key_id} 的密钥封存的，密钥环中没有这把密钥，请联系科监处。"
        )
    try:
        return decrypt(key, body[:NONCE_BYTES], body[NONCE_BYTES:], column.encode()).decode()
    except InvalidTag:
        raise DecryptionError("这项资料无法解开：内容被改动过，或不属于这里，请联系科监处。") from None


def prefix(key_id: str) -> str:
    """The beginning of every envelope that the key `key_id` sealed."""
    return f"{VERSION}.{key_id}."


def is_envelope(text: str) -> bool:
    """Whether `text` has the format of an envelope. It may still not open."""
    try:
        _parse(text)
    except DecryptionError:
        return False
    return True


def encrypt(key: bytes, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
    """The ciphertext of `data` and its tag. `associated_data` is authenticated, but not contained."""
    encryptor = Cipher(SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated_data)
    return encryptor.update(data) + encryptor.finalize() + encryptor.tag


def decrypt(key: bytes, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    """The reverse of `encrypt`. Raises InvalidTag."""
    decryptor = Cipher(SM4(key), modes.GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
    decryptor.authenticate_additional_data(associated_data)
    return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()


def _parse(envelope: str) -> tuple[str, bytes]:
    version, _, rest = envelope.partition(".")
    key_id, _, encoded = rest.partition(".")
    try:
        body = b64decode(encoded + "=" * (-len(encoded) % 4), altchars="-_", validate=True)
    except (NotBase64, ValueError):
        body = b""
    if version != VERSION or not key_id or len(body) < NONCE_BYTES + TAG_BYTES:
        raise DecryptionError("这项资料无法解开：它不是封存的格式，请联系科监处。")
    return key_id, body
