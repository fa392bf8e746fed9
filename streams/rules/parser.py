"""Reads a condition into a tree: by recursive descent, as deep as MAX_DEPTH.

whole      := "always" | condition
condition  := conjunction ("or" conjunction)*
conjunction := denial ("and" denial)*
denial     := "not" denial | "(" condition ")" | predicate
predicate  := NAME SIGN VALUE | NAME ["not"] "in" "[" VALUE, … "]"
            | LIST "has" VALUE | TEXT "matches" "PATTERN" | NUMBER SIGN NAME
"""

from typing import get_args

from streams.rules.patterns import PatternError, compile_pattern
from streams.rules.syntax import (
    MIRRORED,
    All,
    Any,
    Compare,
    CompareTerms,
    Has,
    Matches,
    Not,
    OneOf,
    Sign,
    Tree,
)
from streams.rules.tokens import ConditionError, Token, tokens_of
from streams.rules.vocabulary import TERRITORY, Term, Vocabulary
from streams.yaml_tree import nearest, quoted

MAX_DEPTH = 20  # Of brackets and denials; people lose the thread at four.
_SIGNS: tuple[Sign, ...] = get_args(Sign)
_JOINTS = ("and", "or", "not", "in", "has", "matches")


def parse_condition(text: str, vocabulary: Vocabulary) -> Tree:
    """Read a condition; every name in it is known and of the right type.

    Raises:
        ConditionError: it can't be used.
    """
    return _Parser(list(tokens_of(text)), vocabulary).whole()


class _Parser:
    def __init__(self, tokens: list[Token], vocabulary: Vocabulary) -> None:
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._next = 0
        self._depth = 0

    def whole(self) -> Tree:
        if self._peek().kind == "end":
            raise _error(self._peek(), "a condition", "write score.hate >= 0.9")
        if len(self._tokens) == 2 and self._took("always"):
            return All(())
        tree = self._condition()
        if self._peek().kind != "end":
            raise _error(self._peek(), "and, or, or the end", "join them with and")
        return tree

    def _condition(self) -> Tree:
        parts = [self._conjunction()]
        while self._took("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _conjunction(self) -> Tree:
        parts = [self._denial()]
        while self._took("and"):
            parts.append(self._denial())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _denial(self) -> Tree:
        token = self._peek()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            found = f"nesting of more than {MAX_DEPTH} levels"
            raise ConditionError(token.offset, found, "at most that", "flatten it")
        if self._took("not"):
            tree: Tree = Not(self._denial())
        elif self._took("("):
            tree = self._condition()
            self._expect(")")
        else:
            tree = self._predicate()
        self._depth -= 1
        return tree

    def _predicate(self) -> Tree:
        if self._peek().kind == "number":
            return self._mirrored()
        term = self._term()
        token = self._take()
        if token.value in _SIGNS and token.kind == "sign":
            return self._compared(term, token)
        if token.kind == "name" and token.value == "not":
            self._expect("in")
            return Not(self._one_of(term, token))
        if token.kind == "name" and token.value == "in":
            return self._one_of(term, token)
        if token.kind == "name" and token.value == "has":
            _require(term, "words", token)
            return Has(term, self._word(term))
        if token.kind == "name" and token.value == "matches":
            _require(term, "text", token)
            return self._matches(term)
        close = nearest(token.value, _JOINTS[2:]) if token.kind == "name" else ""
        is_close = close.startswith("did you mean")
        remedy = close if is_close else f"write {_example(term)}"
        raise _error(token, _sequel(term), remedy)

    def _mirrored(self) -> Tree:
        """Read `0.9 <= score.hate` as `score.hate >= 0.9`."""
        number = self._take()
        sign = self._take()
        if sign.value not in _SIGNS:
            raise _error(sign, f"one of {', '.join(_SIGNS)}", "write 0.9 <= NAME")
        term = self._term()
        _require(term, "number", sign)
        return Compare(term, MIRRORED[_sign(sign)], _in_range(term, number))

    def _compared(self, term: Term, after: Token) -> Tree:
        sign, token = _sign(after), self._peek()
        is_equality = sign in ("==", "!=")
        if term.type == "words" or (term.type == "text" and not is_equality):
            raise _error(after, _sequel(term), f"write {_example(term)}")
        if term.type == "text":
            return Compare(term, sign, self._word(term))
        if token.kind == "name":
            other = self._term()
            _require(other, "number", token)
            return CompareTerms(term, sign, other)
        self._take()
        if token.kind != "number":
            raise _error(token, f"a number for {term.name}", f"write {_example(term)}")
        return Compare(term, sign, _in_range(term, token))

    def _one_of(self, term: Term, token: Token) -> OneOf:
        _require(term, "text", token)
        self._expect("[")
        values = [self._word(term)]
        while self._took(","):
            values.append(self._word(term))
        self._expect("]")
        return OneOf(term, tuple(dict.fromkeys(values)))

    def _matches(self, term: Term) -> Matches:
        token = self._take()
        if token.kind != "text":
            remedy = f'write {term.name} matches "(?i)free gift"'
            raise _error(token, "a pattern in quotes", remedy)
        try:
            compile_pattern(token.value)
        except PatternError as error:
            raise _error(token, error.expected, error.remedy, str(error)) from error
        return Matches(term, token.value)

    def _word(self, term: Term) -> str:
        """Read a text that the term can be; plain words need no quotes."""
        token = self._take()
        if token.kind not in ("text", "name") or token.value in _JOINTS:
            raise _error(token, f"a text for {term.name}", f"write {_example(term)}")
        value = token.value
        if term.allowed is not None and value not in term.allowed:
            expected = f"what {term.name} can be"
            raise _error(token, expected, nearest(value, term.allowed))
        if term.name == "territories" and not TERRITORY.fullmatch(value):
            raise _error(token, "a country of ISO 3166-1", "write two capitals: DE")
        return value

    def _term(self) -> Term:
        token = self._take()
        if token.kind != "name" or token.value in _JOINTS:
            raise _error(token, "a name such as score.hate", "write NAME >= NUMBER")
        name = token.value
        if self._peek().value == "[" and self._peek().kind == "sign":
            self._take()  # bank["a name with blanks"]
            name = f"{name}.{self._quoted_name()}"
            self._expect("]")
        term = self._vocabulary.find(name)
        if term is None:
            remedy = nearest(name, self._vocabulary.names)
            raise _error(token, "a known name", remedy, found=quoted(name))
        return term

    def _quoted_name(self) -> str:
        token = self._take()
        if token.kind != "text":
            raise _error(token, "a name in quotes", 'write bank["NAME"]')
        return token.value

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _took(self, word: str) -> bool:
        token = self._peek()
        if token.value == word and token.kind in ("name", "sign"):
            self._next += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise _error(self._peek(), repr(sign), f"add {sign}")


def _sign(token: Token) -> Sign:
    return next(sign for sign in _SIGNS if sign == token.value)


def _require(term: Term, kind: str, token: Token) -> None:
    if term.type != kind:
        names = {"number": "a number", "text": "a text", "words": "a list"}
        found = f"{term.name}, which is {names[term.type]}"
        expected = f"{names[kind]} beside {token.value}"
        raise _error(token, expected, f"write {_example(term)}", found)


def _in_range(term: Term, token: Token) -> float:
    value = float(token.value)
    if not term.low <= value <= term.high:
        shown = "in [0, 1]" if term.risk else f"of at least {term.low:g}"
        remedy = f"write {_example(term)}"
        raise _error(token, f"a number {shown} for {term.name}", remedy)
    return value


def _sequel(term: Term) -> str:
    return {
        "number": f"one of {', '.join(_SIGNS)} after {term.name}",
        "text": f"==, !=, in or matches after {term.name}",
        "words": f"has after {term.name}",
    }[term.type]


def _example(term: Term) -> str:
    if term.type == "number":
        return f"{term.name} >= {'0.9' if term.risk else '10'}"
    value = "DE" if term.name == "territories" else (term.allowed or ('"…"',))[0]
    return f"{term.name} {'has' if term.type == 'words' else '=='} {value}"


def _error(
    token: Token, expected: str, remedy: str, found: str | None = None
) -> ConditionError:
    return ConditionError(token.offset, found or token.described, expected, remedy)
