"""Equality search for sealed values: the index of equal texts is equal, and without the key it says nothing more."""

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from . import keyring

# Hexadecimal digits: the max_length of a column that holds an index.
LENGTH = 64


def blind_index(purpose: str, text: str) -> str:
    """HMAC-SM3 of a canonical `text` for one `purpose` ("phone", "id_number"), as LENGTH hexadecimal digits.

    For another purpose the same text has an unrelated index, so columns cannot be compared. Raises InvalidKeys.
    """
    mac = HMAC(keyring.load_keyring().index_key, SM3())
    mac.update(f"{len(purpose)}:{purpose}:{text}".encode("utf-8", "surrogatepass"))
    return mac.finalize().hex()
