"""Where a request comes from, as far as it can be believed."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings


def client_ip(request) -> str:
    """The visitor's address: the hop that the outermost of our own proxies saw, never one that the visitor wrote.

    `settings.TRUSTED_PROXIES` proxies of ours stand before us, and each adds the address it sees at the right end.
    Empty where there is none, as behind a socket file.
    """
    proxies = settings.TRUSTED_PROXIES
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded = _address(hops[-proxies]) if proxies and len(hops) >= proxies else ""
    return forwarded or _address(request.META.get("REMOTE_ADDR", ""))


def client_network(request) -> str:
    """What a limit counts by: the address, or in IPv6 the whole /64 that one household or firm is given."""
    address = client_ip(request)
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _address(text: str) -> str:
    """The address in `text` without its port; empty if there is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)
