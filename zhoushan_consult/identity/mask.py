"""Masks personal data for pages on which an officer must recognise a person, but not read the whole number."""

from .phone import format_phone


def mask_id(number: str) -> str:
    """The first four and last four characters of an ID number, without the birth date. Fewer of a shorter number."""
    shown = min(4, len(number) // 4)
    return _hide_middle(number, shown, shown)


def mask_phone(phone: str) -> str:
    """A canonical number for lists: 138****8000, 0580-****234 转 ****, +852 ****4567."""
    main, separator, extension = format_phone(phone).partition(" 转 ")
    head, gap, tail = main.rpartition("-")
    if main.startswith("+"):
        head, gap, tail = main.partition(" ")
    tail = tail.replace(" ", "").replace("-", "")
    kept = 3 if not head and len(tail) == 11 else 0
    return head + gap + _hide_middle(tail, kept, min(4, len(tail) // 2)) + separator + "*" * len(extension)


def mask_email(address: str) -> str:
    """The first character and the host: z***@example.com."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}***{at}{host}" if address else ""


def mask_name(name: str) -> str:
    """The first character of a name, and stars: 王**."""
    name = name.strip()
    return name[:1] + "*" * min(len(name) - 1, 2) if len(name) > 1 else "*" * len(name)


def _hide_middle(text: str, first: int, last: int) -> str:
    hidden = len(text) - first - last
    return text[:first] + "*" * hidden + text[len(text) - last :]
