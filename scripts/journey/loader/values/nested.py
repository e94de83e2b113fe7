"""Values as texts: scalars as PostgreSQL reads them, nested ones as JSON, lists as array literals. All at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from journey.loader.values.arrow_numbers import number_texts
from journey.loader.values.exact import quoted
from journey.loader.values.masks import DAY, FOUR_DIGITS, Converted, Refusals, numbers, valid, without
from journey.loader.values.meaning import UNITS, Column

SPECIAL = r'[\x00-\x1f"\\]'  # what JSON escapes

Convert = Callable[[pa.Array, Column], Converted]


def plain(array: pa.Array) -> pa.Array:
    """An array without what is only another way to keep it: extensions (but for UUIDs), dictionaries, runs, views."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType) and not is_uuid(kind):
        return plain(array.storage)
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(array))
    if pa.types.is_float16(kind):
        return array.cast(pa.float32())
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return array.cast(pa.decimal128(kind.precision, kind.scale))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return array.cast(pa.binary())
    if pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return array.cast(pa.list_(kind.value_type))
    if isinstance(kind, (pa.ListViewType, pa.LargeListViewType)):
        return _listed(array)
    return array


def _listed(array: pa.Array) -> pa.Array:
    """Views of lists as lists."""
    ends = np.cumsum(pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False))
    offsets = pa.array(np.concatenate(([0], ends)), pa.int32())
    mask = pa.array(~valid(array)) if array.null_count else None
    return pa.ListArray.from_arrays(offsets, array.flatten(), mask=mask)


def is_uuid(kind: pa.DataType) -> bool:
    """Whether it is Arrow's type for UUIDs."""
    return isinstance(kind, pa.UuidType)


def not_utf8(array: pa.Array) -> list[int]:
    """Positions of strings that aren't UTF-8; a file's word is all there is for it."""
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        found = []
        for position, value in enumerate(array.view(pa.binary()).to_pylist()):
            try:
                (value or b"").decode()
            except UnicodeDecodeError:
                found.append(position)
        return found
    return []


def valid_utf8(array: pa.Array, *, lenient: bool = False) -> Converted:
    """Strings, null where they aren't UTF-8; or, for people's eyes, with their odd bytes written out."""
    found = not_utf8(array)
    if not found:
        return array, {}
    if lenient:
        texts = [None if one is None else one.decode("utf-8", "backslashreplace")
                 for one in array.view(pa.binary()).to_pylist()]  # fmt: skip
        return pa.array(texts, pa.string()), {}
    bad = np.zeros(len(array), bool)
    bad[found] = True
    return without(array, bad), dict.fromkeys(found, "a text isn't UTF-8")


def hexadecimal(array: pa.Array) -> pa.Array:
    """Bytes as PostgreSQL writes them."""
    return pa.array([None if one is None else "\\x" + one.hex() for one in array.to_pylist()], pa.string())


def uuids(array: pa.Array) -> pa.Array:
    """UUIDs as texts."""

    def dashed(one: str) -> str:
        return f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}"

    storage = array.storage if is_uuid(array.type) else array
    return pa.array([None if one is None else dashed(one.hex()) for one in storage.to_pylist()], pa.string())


def time_texts(array: pa.Array) -> Converted:
    """Dates and times in ISO 8601: without zeros behind the seconds, and in UTC where they have a zone."""
    kind, data, good = array.type, numbers(array), valid(array)
    per_second = UNITS[kind.unit] if hasattr(kind, "unit") else 1
    if pa.types.is_time(kind):
        bad = (data < 0) | (data >= DAY * per_second)
    else:
        scale = 1 if per_second > 1 or pa.types.is_timestamp(kind) else DAY
        low, high = (bound * per_second // scale for bound in FOUR_DIGITS)  # texts have no others
        bad = (data < low) | (data >= high)
    bad &= good
    if pa.types.is_timestamp(kind) and kind.tz:
        array = array.cast(pa.timestamp(kind.unit, "UTC"))
    texts = without(array, bad).cast(pa.string())
    if pa.types.is_date64(kind):
        texts = pc.utf8_slice_codeunits(texts, 0, 10)
    if pa.types.is_timestamp(kind):
        texts = pc.replace_substring(texts, " ", "T", max_replacements=1)
    if per_second > 1 and not pa.types.is_date(kind):
        texts = pc.replace_substring_regex(texts, r"(\.[0-9]*?)0+(Z?)$", r"\1\2")
        texts = pc.replace_substring_regex(texts, r"\.(Z?)$", r"\1")
    return texts, dict.fromkeys(np.flatnonzero(bad).tolist(), "its year has no text")


def spans(array: pa.Array) -> pa.Array:
    """Durations and intervals as ISO 8601 writes them, which PostgreSQL reads as intervals."""
    if pa.types.is_duration(array.type):
        unit = UNITS[array.type.unit]
        counts = array.view(pa.int64()).to_pylist()
        return pa.array([None if one is None else _seconds(one, unit, "PT") for one in counts], pa.string())
    return pa.array([None if one is None else _seconds(one.nanoseconds, 10**9, f"P{one.months}M{one.days}DT")
                     for one in array.to_pylist()], pa.string())  # fmt: skip


def _seconds(count: int, unit: int, before: str) -> str:
    whole, rest = divmod(abs(count), unit)
    places = f".{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{before}{'-' if count < 0 else ''}{whole}{places}S"


def scalar_texts(array: pa.Array, *, lenient: bool = False) -> Converted:
    """Values that aren't nested as texts.

    Args:
        array: without extensions but for UUIDs, as plain() makes it.
        lenient: bytes that aren't UTF-8 are written out, and nothing is refused.
    """
    kind = array.type
    if is_uuid(kind):
        return uuids(array), {}
    if pa.types.is_string(kind):
        return valid_utf8(array, lenient=lenient)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return number_texts(array), {}
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return hexadecimal(array), {}
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return spans(array), {}
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return time_texts(array)
    return array.cast(pa.string()), {}


def json_texts(array: pa.Array, policy: str = "refuse") -> Converted:
    """Values of any type as PostgreSQL writes them in JSON.

    Objects for structs and maps, numbers for numbers, as the file has them, texts for all else: dates in ISO 8601,
    bytes as `\\x` and hexadecimal digits.

    Args:
        array: the values.
        policy: what becomes of NaN and infinity, which JSON has not: as special_values has it; or `show`: they are
            texts and so are broken texts, as well as they can be.

    Returns:
        JSON texts, null where the value is, or is refused; the reason by position.
    """
    array = plain(array)
    kind = array.type
    if pa.types.is_null(kind):
        return array.cast(pa.string()), {}
    if pa.types.is_map(kind):
        return _map_texts(array, policy)
    if pa.types.is_list(kind):
        texts, refused = json_texts(_children(array), policy)
        return _lists(array, texts.fill_null("null"), "[]", refused)
    if pa.types.is_struct(kind):
        return _struct_texts(array, policy)
    texts, refused = scalar_texts(array, lenient=policy == "show")
    if pa.types.is_floating(kind):
        return _without_specials(texts, array, policy)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        return texts, refused
    return _quoted(texts), refused


def _without_specials(texts: pa.Array, array: pa.Array, policy: str) -> Converted:
    """Floats' texts, those of NaN and infinity by policy."""
    odd = ~np.isfinite(numbers(array)) & valid(array)
    if not odd.any():
        return texts, {}
    if policy in ("accept", "show"):
        return pc.if_else(pa.array(odd), _quoted(texts), texts), {}
    why = "NaN or infinity stands in it, and JSON has none (special_values)"
    refused = dict.fromkeys(np.flatnonzero(odd).tolist(), why) if policy == "refuse" else {}
    return without(texts, odd), refused


def _quoted(texts: pa.Array) -> pa.Array:
    """JSON's strings."""
    simple = pc.binary_join_element_wise('"', texts, '"', "")
    odd = pc.match_substring_regex(texts, SPECIAL)
    if not odd.true_count:
        return simple
    escaped = [json.dumps(text, ensure_ascii=False) for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(simple, odd.fill_null(False), pa.array(escaped, pa.string()))


def _struct_texts(array: pa.Array, policy: str) -> Converted:
    parts: list[pa.Array | str] = ["{"]
    refused: Refusals = {}
    for position, child in enumerate(array.flatten()):  # which are null where the struct is
        texts, more = json_texts(child, policy)
        name = json.dumps(array.type.field(position).name, ensure_ascii=False)
        parts += [f"{',' if position else ''}{name}:", texts.fill_null("null")]
        refused |= {row: reason for row, reason in more.items() if row not in refused}
    texts = pc.binary_join_element_wise(*parts, "}", "") if array.type.num_fields else _filled("{}", len(array))
    return without(texts, ~valid(array) | _mask(refused, len(array))), refused


def _map_texts(array: pa.Array, policy: str) -> Converted:
    begin, end = array.offsets[0].as_py(), array.offsets[len(array)].as_py()
    keys, refused = scalar_texts(plain(array.keys.slice(begin, end - begin)), lenient=policy == "show")
    if policy != "show":
        refused |= _repeated(array, keys)
    items, more = json_texts(array.items.slice(begin, end - begin), policy)
    pairs = pc.binary_join_element_wise(_quoted(keys), items.fill_null("null"), ":").fill_null("")
    return _lists(array, pairs, "{}", more | refused)


def _repeated(array: pa.Array, keys: pa.Array) -> Refusals:
    """Keys that come again in their map: an object of jsonb would keep the last, and lose the others."""
    maps = np.repeat(np.arange(len(array)), np.diff(array.offsets.to_numpy()))
    coded = keys.dictionary_encode()
    pairs = maps * (len(coded.dictionary) + 1) + coded.indices.fill_null(len(coded.dictionary)).to_numpy()
    _, first = np.unique(pairs, return_index=True)
    again = np.delete(np.arange(len(pairs)), first).tolist()
    return {position: f"the key {quoted(keys[position].as_py() or '')} comes twice" for position in again}


def array_literals(array: pa.Array, column: Column, convert: Convert) -> Converted:
    """Lists as array literals of PostgreSQL's, their elements strictly of the column's element type.

    Args:
        array: lists; lists of lists are arrays of more dimensions.
        column: of a type that ends with [].
        convert: reads the elements.
    """
    children = plain(_children(array))
    if pa.types.is_list(children.type):
        texts, refused = array_literals(children, column, convert)
        refused |= {position: "an array has no null in place of a row" for position in np.flatnonzero(~valid(children))
                    .tolist() if position not in refused}  # fmt: skip
    else:
        element = column._replace(type=column.type.removesuffix("[]"))
        values, refused = convert(children, element)
        texts, _ = scalar_texts(values if element.type != "uuid" else _as_uuids(values))
        texts = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
        texts = pc.binary_join_element_wise('"', texts, '"', "")
    return _lists(array, texts.fill_null("NULL"), "{}", refused)


def _as_uuids(values: pa.Array) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.uuid(), values)


def _children(array: pa.Array) -> pa.Array:
    """The values of an array's lists, one after the other."""
    begin, end = array.offsets[0].as_py(), array.offsets[len(array)].as_py()
    return array.values.slice(begin, end - begin)


def _offsets(array: pa.Array) -> pa.Array:
    return pa.array(numbers(array.offsets) - array.offsets[0].as_py(), pa.int32())


def _lists(array: pa.Array, texts: pa.Array, around: str, refused: Mapping[int, str]) -> Converted:
    """The children's texts, joined for each of an array's lists; without those of which a child is refused."""
    joined = pc.binary_join(pa.ListArray.from_arrays(_offsets(array), texts), ",")
    found = _of_parents(array, refused)
    whole = pc.binary_join_element_wise(around[0], joined, around[1], "")
    return without(whole, ~valid(array) | _mask(found, len(array))), found


def _of_parents(array: pa.Array, refused: Mapping[int, str]) -> Refusals:
    """Reasons by the lists that the refused children are in."""
    if not refused:
        return {}
    begin, good = numbers(array.offsets) - array.offsets[0].as_py(), valid(array)
    parents = np.searchsorted(begin, np.array(list(refused)), side="right") - 1
    found: Refusals = {}
    for parent, reason in zip(parents.tolist(), refused.values(), strict=True):
        if good[parent]:
            found.setdefault(parent, reason)
    return found


def _mask(refused: Mapping[int, str], size: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[list(refused)] = True
    return mask


def _filled(text: str, size: int) -> pa.Array:
    return pa.array([text] * size, pa.string())
