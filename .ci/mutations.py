"""The mutations that `mutants.py` tries: each one changes one place in the text of a module.

They are typical slips in a Django project: a condition missing from a query, a boundary moved by one, a letter not sent, a
guard that never holds, a transaction removed. Names and Chinese texts are not mutated, because no rule is in them.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# Calls in which every argument is a condition or a column: without one of them, the call still runs.
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
# Characters. Whether a text is cut here or one character later is no rule, so longer slices are not mutated.
LONG_TEXT = 20
# Not mutated: log messages are no rule, and SQLite, on which the mutants run, has no row locks.
IGNORED = re.compile(r"\b(log|logger|logging)\.|select_for_update\(")


@dataclass(frozen=True)
class Mutation:
    """The bytes from `start` to `end` of a module are replaced by `replacement`.

    `line` counts from 1. `lines` are those of the whole statement: a test that runs one of them reaches the mutation. For a
    decorator they are those of the function body. `in_function` is False for code that runs when the module is imported.
    """

    line: int
    start: int
    end: int
    replacement: str
    kind: str
    lines: range
    in_function: bool

    def apply(self, source: bytes) -> bytes:
        """The mutated module. Its line numbers stay, because `mutants.py` finds a function by its first line."""
        missing_lines = source[self.start : self.end].count(b"\n") - self.replacement.count("\n")
        new = self.replacement + "\n" * missing_lines
        # An expression may continue on the next line only in brackets.
        if missing_lines and self.replacement not in {"", "pass"}:
            new = f"({new})"
        return source[: self.start] + new.encode() + source[self.end :]

    def diff(self, source: bytes) -> str:
        """The changed lines before and after, joined to one line."""
        first = source.rfind(b"\n", 0, self.start) + 1
        last = source.find(b"\n", self.end)
        old = source[first:last].decode()
        new = (source[first : self.start] + self.replacement.encode() + source[self.end : last]).decode()
        return "- " + " ".join(old.split()) + "  + " + " ".join(new.split())


# What one mutation operator yields: start, end, replacement, kind.
Change = tuple[int, int, str, str]


def find_mutations(source: bytes) -> list[Mutation]:
    """All mutations of the module, in the order of its text."""
    found = {(m.start, m.end, m.replacement): m for m in _Finder(source).mutations()}
    return [found[key] for key in sorted(found)]


class _Finder:
    """Walks the syntax tree of a module. One method for each type of node yields its changes."""

    def __init__(self, source: bytes):
        self.source = source
        # Nodes that their parent has excluded.
        self.skipped: set[ast.AST] = set()
        # The offset of each line in bytes, as `ast` counts columns.
        self.offsets = [0]
        for line in source.splitlines(keepends=True):
            self.offsets.append(self.offsets[-1] + len(line))

    def mutations(self) -> Iterator[Mutation]:
        yield from self._walk(ast.parse(self.source), range(0), in_function=False)

    def _walk(self, node: ast.AST, lines: range, *, in_function: bool) -> Iterator[Mutation]:
        if isinstance(node, ast.Call) and IGNORED.search(ast.unparse(node.func) + "("):
            return
        # Python 3.11 does not know the positions of the parts of an f-string.
        if isinstance(node, ast.JoinedStr):
            return
        lines = self._lines_of(node, lines)
        for start, end, replacement, kind in self._changes(node):
            line = self.source.count(b"\n", 0, start) + 1
            yield Mutation(line, start, end, replacement, kind, lines, in_function)
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and field not in {"annotation", "returns"}:
                    inside = in_function or (isinstance(node, ast.FunctionDef) and field == "body")
                    yield from self._walk(child, lines, in_function=inside)

    @staticmethod
    def _lines_of(node: ast.AST, lines: range) -> range:
        """The lines of a statement without its body; for an expression, `lines` of its statement."""
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef):
            return range(body[0].lineno, node.end_lineno + 1)
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
            return range(node.lineno, last + 1)
        return lines

    def _changes(self, node: ast.AST) -> Iterator[Change]:
        """The changes at this node, without those within its children."""
        operator = getattr(self, f"_mutate_{type(node).__name__.lower()}", None)
        if operator:
            yield from operator(node)

    # --- Expressions -------------------------------------------------------------------------------------------------
    def _mutate_compare(self, node: ast.Compare) -> Iterator[Change]:
        pairs = pairwise([node.left, *node.comparators])
        for (left, right), operator in zip(pairs, node.ops, strict=True):
            yield from self._swap_operator(left, right, *COMPARISONS[type(operator)], "comparison")

    def _mutate_boolop(self, node: ast.BoolOp) -> Iterator[Change]:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            yield from self._swap_operator(left, right, old, new, "and/or")

    def _mutate_binop(self, node: ast.BinOp) -> Iterator[Change]:
        if type(node.op) in ARITHMETIC:
            yield from self._swap_operator(node.left, node.right, *ARITHMETIC[type(node.op)], "arithmetic")

    def _mutate_unaryop(self, node: ast.UnaryOp) -> Iterator[Change]:
        if isinstance(node.op, ast.Not):
            yield self._replace(node, self._text(node.operand), "not removed")

    def _mutate_slice(self, node: ast.Slice) -> Iterator[Change]:
        match node.upper:
            case ast.Constant(value=int()) if node.upper.value >= LONG_TEXT:
                self.skipped.add(node.upper)
        yield from ()

    def _mutate_constant(self, node: ast.Constant) -> Iterator[Change]:
        match node.value:
            case bool():
                yield self._replace(node, str(not node.value), "True/False")
            case int() | float() if node not in self.skipped:
                yield self._replace(node, repr(node.value + 1), "number")
            # "-date" in order_by() or ordering.
            case str() if re.fullmatch(r"-[a-z_]+", node.value):
                yield self._replace(node, repr(node.value[1:]), "order")

    def _mutate_ifexp(self, node: ast.IfExp) -> Iterator[Change]:
        yield self._replace(node.test, "False", "condition")
        yield self._replace(node.test, "True", "condition")

    def _mutate_comprehension(self, node: ast.comprehension) -> Iterator[Change]:
        for condition in node.ifs:
            yield self._replace(condition, "True", "condition")

    def _mutate_dict(self, node: ast.Dict) -> Iterator[Change]:
        for key, value in zip(node.keys, node.values, strict=True):
            # No key: `**other`.
            if key:
                start, end = self._span(key)[0], self._span(value)[1]
                yield start, self._after_comma(end), "", "entry dropped"

    def _mutate_list(self, node: ast.List | ast.Set) -> Iterator[Change]:
        # A list that is assigned to unpacks; one without its only item is too easy to notice.
        if len(node.elts) > 1 and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            yield from self._remove_each(node.elts, "entry dropped")

    _mutate_set = _mutate_list

    def _mutate_call(self, node: ast.Call) -> Iterator[Change]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in OPPOSITES:
            end = self._span(node.func)[1]
            yield end - len(name), end, OPPOSITES[name], "opposite call"
        is_query = name in QUERIES and (isinstance(node.func, ast.Attribute) or name == "Q")
        # `get` of a dict has positional arguments, `get` of a query has none.
        if is_query and name != "get":
            yield from self._remove_each(node.args, "condition dropped")
        for keyword in node.keywords:
            yield from self._mutate_argument(keyword, is_query)

    def _mutate_argument(self, keyword: ast.keyword, is_query: bool) -> Iterator[Change]:
        if is_query:
            yield from self._remove_each([keyword], "condition dropped")
        elif keyword.arg and getattr(keyword.value, "value", "") not in (None, True, False):
            yield self._replace(keyword.value, "None", "argument None")
        if lookup := re.search("__(lt|gt)e?$", keyword.arg or ""):
            end = self._span(keyword)[0] + len(keyword.arg)
            yield end - len(lookup[0]), end, LOOKUPS[lookup[0]], "comparison"

    # --- Statements --------------------------------------------------------------------------------------------------
    def _mutate_if(self, node: ast.If) -> Iterator[Change]:
        yield self._replace(node.test, "False", "condition")
        # The first test that passes a guard notices one that always refuses.
        if not isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
            yield self._replace(node.test, "True", "condition")

    def _mutate_for(self, node: ast.For) -> Iterator[Change]:
        yield self._replace(node.iter, "()", "loop skipped")

    def _mutate_continue(self, node: ast.Continue) -> Iterator[Change]:
        yield self._replace(node, "break", "loop ended")

    def _mutate_excepthandler(self, node: ast.ExceptHandler) -> Iterator[Change]:
        if node.type:
            yield self._replace(node.type, "()", "error not caught")

    def _mutate_with(self, node: ast.With) -> Iterator[Change]:
        match node.items:
            case [ast.withitem(optional_vars=None, context_expr=manager)] if "atomic" in self._text(manager):
                yield self._span(node)[0], self._span(manager)[1], "if True", "transaction"

    def _mutate_functiondef(self, node: ast.FunctionDef) -> Iterator[Change]:
        for decorator in node.decorator_list:
            if "atomic" in self._text(decorator):
                start, end = self._span(decorator)
                # With the @ before it.
                yield start - 1, end, "", "transaction"

    def _mutate_return(self, node: ast.Return) -> Iterator[Change]:
        if node.value and not isinstance(node.value, ast.Constant):
            yield self._replace(node.value, "None", "returned None")

    def _mutate_expr(self, node: ast.Expr) -> Iterator[Change]:
        if isinstance(node.value, ast.Call | ast.Await):
            yield from self._drop_statement(node)

    def _mutate_assign(self, node: ast.Assign) -> Iterator[Change]:
        """Only attributes and items: without a variable, every test would fail."""
        target = node.targets[0] if len(node.targets) == 1 else None
        if isinstance(target, ast.Tuple):
            target = target.elts[0] if isinstance(target.elts[0], ast.Attribute) else None
        if isinstance(target, ast.Attribute | ast.Subscript):
            yield self._replace(node, "pass", "statement dropped")

    def _drop_statement(self, node: ast.stmt) -> Iterator[Change]:
        if not IGNORED.search(self._text(node)):
            yield self._replace(node, "pass", "statement dropped")

    _mutate_augassign = _mutate_delete = _drop_statement

    # --- Positions in the text ---------------------------------------------------------------------------------------
    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self.offsets[node.lineno - 1] + node.col_offset
        return start, self.offsets[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.AST) -> str:
        return self.source[slice(*self._span(node))].decode()

    def _after_comma(self, end: int) -> int:
        return end + re.match(rb"\s*,?\s*", self.source[end:]).end()

    def _replace(self, node: ast.AST, replacement: str, kind: str) -> Change:
        return *self._span(node), replacement, kind

    def _remove_each(self, items: list[ast.AST], kind: str) -> Iterator[Change]:
        """Remove one item of a list, with the comma after it."""
        for item in items:
            start, end = self._span(item)
            yield start, self._after_comma(end), "", kind

    def _swap_operator(
        self, left: ast.AST, right: ast.AST, old: str, new: str, kind: str
    ) -> Iterator[Change]:
        """Replace the operator between two operands. `ast` has no position of operators, so the text is searched."""
        start, end = self._span(left)[1], self._span(right)[0]
        boundary = r"\b" if old[0].isalpha() else ""
        pattern = boundary + re.escape(old).replace(r"\ ", r"\s+") + boundary
        if match := re.search(pattern, self.source[start:end].decode()):
            yield start + match.start(), start + match.end(), new, kind
