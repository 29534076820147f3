"""The secrets of the embedded run. They are made once, in `var/`, and only the owner can read them."""

import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from pathlib import Path


def keys_file(folder: Path) -> Path:
    """The file of keys in `folder`, which is created (0600) at the first call.

    Two processes may start at the same time. Each writes a file of its own, and the first one that links it wins: two
    sets of keys would make the data of one of them unreadable.
    """
    target = folder / "keys.env"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _link_once(target, _generate_keys())
    return target


def _generate_keys() -> str:
    return (
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"VAULT_KEYS=k1:{urlsafe_b64encode(secrets.token_bytes(16)).decode()}\n"
        f"VAULT_INDEX_KEY={urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n"
        f"AUDIT_KEY={urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n"
    )


def _link_once(target: Path, text: str) -> None:
    # In the same folder: a hard link cannot cross file systems.
    handle, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            # Keys that are lost in a power cut would make the data unreadable.
            os.fsync(file.fileno())
        os.link(name, target)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)
