"""The small faults that `mutants.py` plants: each changes one place of a module's text.

They are the slips that a person makes in a Django project: a condition dropped from a query, a boundary shifted, a
letter not sent, a guard that never holds, a transaction taken away. Plain names and Chinese texts stay as they are.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# Calls in which every argument is a condition or a column: one may be left out and the call still runs.
QUERIES = {
    "filter",
    "exclude",
    "get",
    "update",
    "create",
    "get_or_create",
    "update_or_create",
    "Q",
    "order_by",
}
COMPARISONS = {
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "+"),
    ast.BitOr: ("|", "&"), ast.BitAnd: ("&", "|"),
}  # fmt: skip
LOOKUPS = {"__lt": "__lte", "__lte": "__lt", "__gt": "__gte", "__gte": "__gt"}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any", "first": "last", "last": "first"}
OPPOSITES |= {"earliest": "latest", "latest": "earliest", "exclude": "filter"}
LONG_TEXT = 20  # whether a text is cut at this length or one sign later is no rule
# A fault in these is no fault of the rule: what the log says, and locks that SQLite does not know.
NO_MATTER = re.compile(r"\b(log|logger|logging)\.|select_for_update\(")


@dataclass(frozen=True)
class Fault:
    line: int  # 1 is the first
    start: int  # bytes of the text that `new` takes the place of
    end: int
    new: str
    kind: str
    # The lines of its statement: a test that runs one of them meets the fault. A decorator's are those of the body.
    lines: range
    inside: bool  # whether it is in the code of a function, and not in what runs when the module is imported

    def planted(self, source: bytes) -> bytes:
        """The module with this fault. Line numbers stay: a function is found again by the line it starts at."""
        lost = source[self.start : self.end].count(b"\n") - self.new.count("\n")
        new = self.new + "\n" * lost
        if lost and self.new not in {"", "pass"}:
            new = f"({new})"  # only in brackets may an expression go on in the next line
        return source[: self.start] + new.encode() + source[self.end :]

    def shown(self, source: bytes) -> str:
        """The change as one line: the lines that it touches, before and after."""
        first = source.rfind(b"\n", 0, self.start) + 1
        last = source.find(b"\n", self.end)
        old = source[first:last].decode()
        new = (source[first : self.start] + self.new.encode() + source[self.end : last]).decode()
        return "- " + " ".join(old.split()) + "  + " + " ".join(new.split())


def faults(source: bytes) -> list[Fault]:
    """Every fault that can be planted in the module, in the order of its text."""
    found = {(fault.start, fault.end, fault.new): fault for fault in _Finder(source).found()}
    return [found[key] for key in sorted(found)]


class _Finder:
    def __init__(self, source: bytes):
        self.source = source
        self.passed_over: set[ast.AST] = set()
        self.offsets = [0]
        for line in source.splitlines(keepends=True):
            self.offsets.append(self.offsets[-1] + len(line))

    def found(self) -> Iterator[Fault]:
        yield from self._walk(ast.parse(self.source), range(0), inside=False)

    def _walk(self, node: ast.AST, lines: range, *, inside: bool) -> Iterator[Fault]:
        if isinstance(node, ast.Call) and NO_MATTER.search(ast.unparse(node.func) + "("):
            return
        if isinstance(node, ast.JoinedStr):  # Python 3.11 does not say where the parts of an f-string stand
            return
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef):
            lines = range(body[0].lineno, node.end_lineno + 1)
        elif isinstance(node, ast.stmt | ast.ExceptHandler):
            last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
            lines = range(node.lineno, last + 1)
        for start, end, new, kind in self._changes(node):
            line = self.source.count(b"\n", 0, start) + 1
            yield Fault(line, start, end, new, kind, lines, inside)
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and field not in {"annotation", "returns"}:
                    within = inside or (isinstance(node, ast.FunctionDef) and field == "body")
                    yield from self._walk(child, lines, inside=within)

    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self.offsets[node.lineno - 1] + node.col_offset
        return start, self.offsets[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.AST) -> str:
        return self.source[slice(*self._span(node))].decode()

    def _between(self, left: ast.AST, right: ast.AST, old: str, new: str, kind: str):
        """Swap the operator that stands between two operands."""
        start, end = self._span(left)[1], self._span(right)[0]
        word = r"\b" if old[0].isalpha() else ""
        match = re.search(
            word + re.escape(old).replace(r"\ ", r"\s+") + word, self.source[start:end].decode()
        )
        if match:
            yield start + match.start(), start + match.end(), new, kind

    def _without(self, parts: list[ast.AST], kind: str):
        """Leave out one of a list's parts, with the comma behind it."""
        for part in parts:
            start, end = self._span(part)
            yield start, end + re.match(rb"\s*,?\s*", self.source[end:]).end(), "", kind

    def _whole(self, node: ast.AST, new: str, kind: str):
        yield *self._span(node), new, kind

    def _changes(self, node: ast.AST):
        """What may go wrong at this node: (start, end, new text, kind)."""
        match node:
            case ast.Compare():
                for (left, right), operator in zip(
                    pairwise([node.left, *node.comparators]), node.ops, strict=True
                ):
                    yield from self._between(left, right, *COMPARISONS[type(operator)], "comparison")
            case ast.BoolOp():
                old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
                for left, right in pairwise(node.values):
                    yield from self._between(left, right, old, new, "and/or")
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                yield from self._between(node.left, node.right, *ARITHMETIC[type(node.op)], "arithmetic")
            case ast.UnaryOp(op=ast.Not()):
                yield from self._whole(node, self._text(node.operand), "not removed")
            case ast.Constant(value=bool()):
                yield from self._whole(node, str(not node.value), "True/False")
            case ast.Slice(upper=ast.Constant(value=int())) if node.upper.value >= LONG_TEXT:
                self.passed_over.add(node.upper)
            case ast.Constant(value=int() | float()) if node not in self.passed_over:
                yield from self._whole(node, repr(node.value + 1), "number")
            case ast.Constant(value=str()) if re.fullmatch(r"-[a-z_]+", node.value):
                yield from self._whole(node, repr(node.value[1:]), "order")
            case ast.If() | ast.IfExp():
                yield from self._whole(node.test, "False", "condition")
                # A guard that always refuses is seen by the first test that passes it.
                if isinstance(node, ast.IfExp) or not isinstance(
                    node.body[-1], ast.Raise | ast.Return | ast.Continue
                ):
                    yield from self._whole(node.test, "True", "condition")
            case ast.comprehension():
                for condition in node.ifs:
                    yield from self._whole(condition, "True", "condition")
            case ast.For():
                yield from self._whole(node.iter, "()", "loop skipped")
            case ast.Continue():
                yield from self._whole(node, "break", "loop ended")
            case ast.ExceptHandler(type=ast.expr()):
                yield from self._whole(node.type, "()", "error not caught")
            case ast.With(items=[ast.withitem(optional_vars=None, context_expr=asked)]):
                if "atomic" in self._text(asked):
                    yield self._span(node)[0], self._span(asked)[1], "if True", "transaction"
            case ast.FunctionDef():
                for decorator in node.decorator_list:
                    if "atomic" in self._text(decorator):
                        start, end = self._span(decorator)
                        yield start - 1, end, "", "transaction"
            case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
                yield from self._whole(node.value, "None", "returned None")
            case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Delete() | ast.Expr(value=ast.Await()):
                if not NO_MATTER.search(self._text(node)):
                    yield from self._whole(node, "pass", "statement dropped")
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple()]):
                if not isinstance(node.targets[0], ast.Tuple) or isinstance(
                    node.targets[0].elts[0], ast.Attribute
                ):
                    yield from self._whole(node, "pass", "statement dropped")
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    start, end = self._span(key or value)[0], self._span(value)[1]
                    if key:
                        end += re.match(rb"\s*,?\s*", self.source[end:]).end()
                        yield start, end, "", "entry dropped"
            case ast.List(ctx=ast.Load()) | ast.Set() if len(node.elts) > 1:
                yield from self._without(node.elts, "entry dropped")
            case ast.Call():
                yield from self._calls(node)

    def _calls(self, node: ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in OPPOSITES:
            end = self._span(node.func)[1]
            yield end - len(name), end, OPPOSITES[name], "opposite call"
        query = name in QUERIES and (isinstance(node.func, ast.Attribute) or name == "Q")
        if query:
            yield from self._without(node.args if name != "get" else [], "condition dropped")
        for keyword in node.keywords:
            start, end = self._span(keyword)
            if query:
                yield from self._without([keyword], "condition dropped")
            elif keyword.arg and getattr(keyword.value, "value", "") not in (None, True, False):
                yield from self._whole(keyword.value, "None", "argument None")
            lookup = re.search("__(lt|gt)e?$", keyword.arg or "")
            if lookup:
                end = start + len(keyword.arg)
                yield end - len(lookup[0]), end, LOOKUPS[lookup[0]], "comparison"
