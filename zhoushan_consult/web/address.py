"""The address from which a request comes, as far as it can be trusted."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings


def client_ip(request) -> str:
    """The visitor's address as our outermost proxy saw it, never one that the visitor wrote into the header.

    There are `settings.TRUSTED_PROXIES` proxies of ours, and each adds the address that it sees at the right end. Empty
    if there is no address, as behind a Unix socket.
    """
    proxies = settings.TRUSTED_PROXIES
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded = _parse_address(hops[-proxies]) if proxies and len(hops) >= proxies else ""
    return forwarded or _parse_address(request.META.get("REMOTE_ADDR", ""))


def client_network(request) -> str:
    """The unit that limits count: the IPv4 address, or the IPv6 /64, which one connection gets as a whole."""
    address = client_ip(request)
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _parse_address(text: str) -> str:
    """The address in `text` without a port; empty if there is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return ""
    # ::ffff:192.0.2.1 is the IPv4 address 192.0.2.1. Both must count as the same visitor.
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)
