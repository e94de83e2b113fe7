"""What a column is on Spark, and how a text of a file becomes its value: strictly, or the row is refused.

The rules are the loader's (`loader/values/exact.py`), said in SQL. What they would read otherwise is refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from journey.loader.declaration.sources import Source
from journey.loader.values.meaning import Meaning, Undeclared
from journey.spark.session import listed, literal

TYPES = {
    "text": "string", "smallint": "smallint", "int2": "smallint", "integer": "int", "int": "int", "int4": "int",
    "bigint": "bigint", "int8": "bigint", "boolean": "boolean", "bool": "boolean", "date": "date", "real": "float",
    "float4": "float", "double precision": "double", "float8": "double",
    "timestamptz": "timestamp", "timestamp with time zone": "timestamp",
    "timestamp": "timestamp_ntz", "timestamp without time zone": "timestamp_ntz",
}  # fmt: skip
NUMERIC = re.compile(r"(?:numeric|decimal)\((\d+)(?:, *(\d+))?\)")
MOST_DIGITS = 38
READ = {"decimal_mark", "null_values", "quoted_nulls", "true_values", "false_values"}  # of Meaning, as the loader does
UTC = ("UTC", "Etc/UTC", "GMT")
DATE = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
OFFSET = "( ?(Z|[+-][0-9]{2}:[0-9]{2}))?"
FLOATING = (
    "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,4})?|[+-]?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)"
)
NO_TEXT = "[\\u0000\\uFFFD]"  # a NUL, and what Spark puts in place of bytes that aren't of the encoding


@dataclass(frozen=True)
class Expression:
    """A column's value, in SQL.

    Attributes:
        value: what it is.
        is_good: whether it is one; null counts as good.
        what: it should be, for a reason.
    """

    value: str
    is_good: str
    what: str


def spark_type(data_type: str) -> str:
    """The type of a column on Spark.

    Args:
        data_type: PostgreSQL's, as it is declared.

    Raises:
        ValueError: Spark has none whose values are the same.
    """
    kind = " ".join(data_type.lower().split())
    if found := NUMERIC.fullmatch(kind):
        precision, scale = int(found[1]), int(found[2] or 0)
        if scale <= precision <= MOST_DIGITS:
            return f"decimal({precision},{scale})"
        raise ValueError(f"Spark's decimals have at most {MOST_DIGITS} digits, and {data_type} has more")
    if kind in ("numeric", "decimal"):
        raise ValueError("Spark has no numeric without bounds: declare numeric(precision,scale)")
    if kind not in TYPES:
        raise ValueError(f"Spark has no {data_type}: declare text, or one of {', '.join(TYPES)}")
    return TYPES[kind]


def check(source: Source) -> None:
    """Refuse what Spark would read otherwise than the loader, by its name.

    Args:
        source: whose columns.

    Raises:
        ValueError: with type or option, and why.
    """
    for name, data_type in source.columns.items():
        try:
            spark_type(data_type)
        except ValueError as error:
            raise ValueError(f"column {name}: {error}") from error
        meaning = source.column(name, data_type).meaning
        where = f"external.options.columns.{name}" if name in source.own_meanings else "external.options"
        for rule in fields(Meaning):
            given = getattr(meaning, rule.name)
            if rule.name not in READ and given != rule.default and not (rule.name == "time_zone" and given in UTC):
                raise ValueError(f"{where}.{rule.name} is not read on Spark")
        others = [text for text in meaning.null_values if text]
        if source.format == "csv" and others and not meaning.quoted_nulls:
            raise ValueError(
                f"{where}.null_values has {others[0]!r}: Spark doesn't know what stood in quotes; declare quoted_nulls "
                "if it means null there, too"
            )


def nulls(meaning: Meaning, *, is_text: bool, file_format: str) -> list[str]:
    """Texts that mean null once a field is known to be none by itself (CSV: an empty one that isn't quoted)."""
    if file_format == "csv":
        return list(meaning.null_values) if meaning.quoted_nulls else []
    keeps_empty = isinstance(meaning.null_values, Undeclared) or (file_format == "jsonl" and not meaning.quoted_nulls)
    if is_text and keeps_empty:
        return [text for text in meaning.null_values if text]
    return list(meaning.null_values)


def of_text(text: str, data_type: str, meaning: Meaning, null_texts: list[str]) -> Expression:
    """How a text becomes a value.

    Args:
        text: SQL of it.
        data_type: of the column, as it is declared.
        meaning: of the column's values.
        null_texts: texts that mean null.
    """
    if null_texts:
        text = f"case when {text} in ({listed(null_texts)}) then null else {text} end"
    kind = spark_type(data_type)
    if kind == "string":
        return Expression(
            text, _or_null(text, f"not {text} rlike {literal(NO_TEXT)}"), "text without a NUL, of the declared encoding"
        )
    if kind == "boolean":
        true, false = ([word.lower() for word in words] for words in (meaning.true_values, meaning.false_values))
        cases = f"when lower({text}) in ({listed(true)}) then true when lower({text}) in ({listed(false)}) then false"
        value = f"case {cases} end"
        return Expression(value, _or_null(text, f"lower({text}) in ({listed([*true, *false])})"), "boolean")
    mark = meaning.decimal_mark
    plain = text
    if kind == "timestamp":
        # Spark knows no blank before an offset, and wants seconds there
        plain = f"regexp_replace({text}, ' (?=[Z+-])', '')"
        plain = f"regexp_replace({plain}, '([T ][0-9]{{2}}:[0-9]{{2}})(?=[Z+-])', '$1:00')"
    elif mark != "." and kind not in ("date", "timestamp_ntz"):
        plain = f"translate({text}, {literal(mark)}, '.')"
    value = f"try_cast({plain} as {kind})"
    looks = shape(kind, mark)
    more = "" if kind not in ("float", "double") else f" and ({_is_finite(value)} or {text} rlike '(?i)inf|nan')"
    is_good = f"{text} rlike {literal(f'^({looks})$')} and {value} is not null{more}"
    return Expression(value, _or_null(text, is_good), data_type)


def _or_null(text: str, is_good: str) -> str:
    return f"{text} is null or ({is_good})"


def _is_finite(value: str) -> str:
    return f"abs({value}) < cast('infinity' as double)"


def shape(kind: str, mark: str) -> str:
    """What a text of a type looks like, as a regular expression that Java and Python read alike.

    Args:
        kind: Spark's type.
        mark: between whole and fraction.
    """
    dot = re.sub(r"([^\w\s])", r"[\1]", mark) if mark != "^" else r"\^"
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind):
        before, after = int(found[1]) - int(found[2]), int(found[2])
        return f"[+-]?(?=[0-9]|{dot}[0-9])0*[0-9]{{0,{before}}}({dot}[0-9]{{0,{after}}}0*)?"
    if kind in ("float", "double"):
        return FLOATING.replace("[.]", dot)
    if kind == "date":
        return DATE
    if kind in ("timestamp", "timestamp_ntz"):
        return f"{DATE}([T ]{CLOCK}{OFFSET if kind == 'timestamp' else ''})?"
    return "[+-]?[0-9]+"
