"""The secrets of the embedded run: made once, in `var/`, readable by the owner only."""

import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from pathlib import Path


def keys_file(folder: Path) -> Path:
    """The file of keys in `folder`, written (0600) the first time it is asked for.

    Two processes may start at once: each writes a file of its own, and the first to link it in wins.
    """
    target = folder / "keys.env"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _link_once(target, _fresh_keys())
    return target


def _fresh_keys() -> str:
    return (
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"VAULT_KEYS=k1:{urlsafe_b64encode(secrets.token_bytes(16)).decode()}\n"
        f"VAULT_INDEX_KEY={urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n"
        f"AUDIT_KEY={urlsafe_b64encode(secrets.token_bytes(32)).decode()}\n"
    )


def _link_once(target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, target)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)
