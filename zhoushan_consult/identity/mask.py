"""What may be shown of a person to those who need to recognise, not to know."""

from .phone import format_phone


def mask_id(number: str) -> str:
    """First four and last four of an ID number, its date of birth hidden whole; fewer of a shorter number."""
    shown = min(4, len(number) // 4)
    return _middle_hidden(number, shown, shown)


def mask_phone(phone: str) -> str:
    """A canonical number for lists: 138****8000, 0580-****234 转 ****, +852 ****4567."""
    main, mark, extension = format_phone(phone).partition(" 转 ")
    head, gap, tail = main.rpartition("-")
    if main.startswith("+"):
        head, gap, tail = main.partition(" ")
    tail = tail.replace(" ", "").replace("-", "")
    kept = 3 if not head and len(tail) == 11 else 0
    return head + gap + _middle_hidden(tail, kept, min(4, len(tail) // 2)) + mark + "*" * len(extension)


def mask_name(name: str) -> str:
    """The first character of a name and stars: 王**."""
    name = name.strip()
    return name[:1] + "*" * min(len(name) - 1, 2) if len(name) > 1 else "*" * len(name)


def _middle_hidden(text: str, first: int, last: int) -> str:
    hidden = len(text) - first - last
    return text[:first] + "*" * hidden + text[len(text) - last :]
