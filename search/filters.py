"""Which sentences a search looks at: by metadata, source and label, decided before the search.

A condition is written as in SQL, for example `rating >= 4 and city = "Lisbon"`. It is read by a parser (sqlglot) and
made anew from what is allowed: columns, values and comparisons. Nothing the user wrote becomes part of a statement;
names and values are its parameters.

A column compared with a number is its number, be it written as text ("4" in a CSV file); compared with text, its text.
As in SQL, a sentence without the column meets no condition on it but `is null`. `like` minds no case of ASCII letters.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

from search.errors import OptionError
from search.index_reader import IndexReader
from search.similarity import label_block
from search.store import Among

__all__ = ["Filter", "matching_rows"]

_EXAMPLE = "rating >= 4 and city = 'Lisbon'"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a sentence must be to be found; what is left empty is not asked.

    Attributes:
        where: a condition on metadata columns.
        sources: patterns of source names, as `reviews/*.csv`; one of them must fit.
        labels: names of labels, one of which must be the sentence's most likely one.
        fields: metadata columns, each of which must hold one of some values (texts, numbers, truth values, or None).
    """

    where: str | None = None
    sources: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    fields: Mapping[str, Collection[object]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Say whether anything is asked."""
        return bool(self.where is not None or self.sources or self.labels or self.fields)


def matching_rows(index: IndexReader, wanted: Filter) -> Among:
    """Return which rows of an index are searched, be they alive or not.

    Raises:
        OptionError: the condition is none, names a column that no sentence has, or there is no such source or label.
    """
    among = np.ones(index.manifest.rows, dtype=np.bool_)
    if wanted.sources:
        among &= _of_sources(index, wanted.sources)
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.labels:
        if index.passport.labels is None:
            raise OptionError(f"The encoder {index.passport.name} knows no labels; leave --label out.")
        for label in wanted.labels:
            label_block(index.passport.labels, label)  # refuses what is no label
        conditions.append(f"label IN ({', '.join('?' * len(wanted.labels))})")
        values += wanted.labels
    for column, allowed in wanted.fields.items():
        conditions.append(_one_of(column, allowed, values))
    if wanted.where is not None:
        condition = _Condition(wanted.where)
        conditions.append(condition.sql)
        values += condition.values
        _check_columns(index, condition.columns)
    if conditions:
        found = index.matching(" AND ".join(conditions), values)
        if not found.any():
            _check_columns(index, list(wanted.fields))
        among &= found
    return among


def _one_of(column: str, allowed: Collection[object], values: list[Any]) -> str:
    """Return the condition that a column holds one of some values, and append its parameters."""
    if '"' in column:
        raise OptionError(f"{column!r} cannot be a column's name: it has a quotation mark.")
    values += [_path(column), json.dumps(list(allowed))]  # one parameter, however many values
    found = "json_extract(metadata, ?) IN (SELECT value FROM json_each(?))"
    if None in allowed:
        values.append(_path(column))
        found = f"({found} OR json_extract(metadata, ?) IS NULL)"
    return found


def _path(column: str) -> str:
    """Return SQLite's path to a metadata column."""
    return f'$."{column}"'


def _of_sources(index: IndexReader, patterns: Sequence[str]) -> Among:
    among = np.zeros(index.manifest.rows, dtype=np.bool_)
    for pattern in patterns:
        fitting = [source for source in index.sources if _fits(source.name, pattern)]
        if not fitting:
            names = ", ".join(source.name for source in index.sources[:5])
            more = f" and {len(index.sources) - 5:,} more" if len(index.sources) > 5 else ""  # noqa: PLR2004
            raise OptionError(f"No source fits {pattern!r}; the sources are {names}{more}.")
        for source in fitting:
            among[source.first : source.first + source.rows] = True
    return among


def _fits(name: str, pattern: str) -> bool:
    """Say whether a name is the pattern's, from its end: reviews/*.csv fits corpora/reviews/a.csv."""
    return name == pattern or PurePath(name).match(pattern)


def _check_columns(index: IndexReader, columns: Sequence[str]) -> None:
    """Refuse a column that is a mistake in writing: "ratng is null" would fit everything."""
    for column in columns:
        if not index.matching_any("json_type(metadata, ?) IS NOT NULL", [_path(column)]):
            names = ", ".join(sorted(index.columns())) or "none: only tables have some"
            raise OptionError(f"No sentence has a column {column!r}; the columns are {names}.")


class _Condition:
    """A condition as SQL with parameters, and the columns it names."""

    def __init__(self, text: str) -> None:
        """Read a condition.

        Raises:
            OptionError: it is none; says where, and what one looks like.
        """
        from sqlglot import exp, parse_one
        from sqlglot.errors import SqlglotError

        self.values: list[Any] = []
        self.columns: list[str] = []
        self._text = text
        self._signs: dict[type, str] = {
            exp.EQ: "=",
            exp.NEQ: "<>",
            exp.GT: ">",
            exp.GTE: ">=",
            exp.LT: "<",
            exp.LTE: "<=",
            exp.Like: "LIKE",
        }
        try:
            # MySQL's dialect, where "..." is a text and `...` a column.
            tree = parse_one(text, read="mysql", into=exp.Condition)
        except (SqlglotError, RecursionError) as exc:
            raise self._refused("it cannot be read") from exc
        try:
            self.sql = self._written(tree)
        except RecursionError as exc:
            raise self._refused("it is nested too deeply") from exc

    def _written(self, tree: Any) -> str:
        """Return what a part of the condition is in SQL; the parser's types say less than is checked here."""
        from sqlglot import exp

        if isinstance(tree, exp.Paren):
            return self._written(tree.this)
        if isinstance(tree, exp.And | exp.Or):
            word = "AND" if isinstance(tree, exp.And) else "OR"
            return f"({self._written(tree.this)} {word} {self._written(tree.expression)})"
        if isinstance(tree, exp.Not):
            return f"(NOT {self._written(tree.this)})"
        if isinstance(tree, exp.In) and tree.expressions:
            return "(" + " OR ".join(self._compared(tree.this, "=", value) for value in tree.expressions) + ")"
        return self._comparison(tree)

    def _comparison(self, tree: Any) -> str:
        from sqlglot import exp

        if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null):
            return f"({self._column(tree.this)} IS NULL)"
        if isinstance(tree, exp.Between):
            low = self._compared(tree.this, ">=", tree.args["low"])
            return f"({low} AND {self._compared(tree.this, '<=', tree.args['high'])})"
        sign = self._signs.get(type(tree))
        if sign is None:
            raise self._refused(f"{tree.sql()!r} is no comparison")
        return self._compared(tree.this, sign, tree.expression)

    def _compared(self, column: Any, sign: str, value: Any) -> str:
        from sqlglot import exp

        if isinstance(value, exp.Boolean) and sign in {"=", "<>"}:
            sql = f"(truth({self._column(column)}) {sign} ?)"
            self.values.append(int(value.this))
            return sql
        negative = isinstance(value, exp.Neg)
        literal = value.this if negative else value
        if not isinstance(literal, exp.Literal) or (negative and literal.is_string):
            raise self._refused(f"{value.sql()!r} is no value; a column is compared with a number or a text")
        if literal.is_string or sign == "LIKE":
            sql = f"(CAST({self._column(column)} AS TEXT) {sign} ?)"
            self.values.append(literal.this)
            return sql
        sql = f"(number({self._column(column)}) {sign} ?)"
        self.values.append(-float(literal.this) if negative else float(literal.this))
        return sql

    def _column(self, tree: Any) -> str:
        from sqlglot import exp

        if not isinstance(tree, exp.Column) or tree.table or '"' in tree.name:
            raise self._refused(f"{tree.sql()!r} is no column; a column comes first (`...` around one with blanks)")
        self.columns.append(tree.name)
        self.values.append(_path(tree.name))
        return "json_extract(metadata, ?)"

    def _refused(self, reason: str) -> OptionError:
        return OptionError(f"--where {self._text!r}: {reason}. A condition is like: {_EXAMPLE}")
