"""Finding a sealed value again: an index that tells equal from unequal to whoever has the key, and nothing else."""

from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from . import keyring

LENGTH = 64  # hexadecimal digits: the max_length of a column that holds an index


def blind_index(purpose: str, text: str) -> str:
    """HMAC-SM3 of a canonical `text` for one `purpose` ("phone", "id_number"), as LENGTH hexadecimal digits.

    The same text gives the same index within a purpose and an unrelated one in another. Raises InvalidKeys.
    """
    mac = HMAC(keyring.ring().index_key, SM3())
    mac.update(f"{len(purpose)}:{purpose}:{text}".encode("utf-8", "surrogatepass"))
    return mac.finalize().hex()
