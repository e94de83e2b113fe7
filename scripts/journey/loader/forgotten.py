"""Files are read without persons who were forgotten, whom keyed hashes of their ids tell: nobody's id is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection

from journey.errors import JourneyError
from journey.loader.declaration.persons import Person
from journey.loader.declaration.sources import Source
from journey.loader.formats import Batch
from journey.loader.postgres import FORGET_LOCK
from journey.loader.rejects import Rejected, Rejects, TooManyRejectsError
from journey.loader.values.meaning import Column

HIDDEN = "it named a person who was forgotten"  # in place of the reason of a refused row, or of a file's failure
# what may be an id in a text: a word, what usual delimiters leave, what stands in quotes
PIECES = [re.compile(pattern) for pattern in (r"\w+", r"""[^\s,;|"'{}\[\]:=()<>]+""", r"""["']([^"'\n]+)["']""")]


class Found(NamedTuple):
    """A forgotten person in some rows.

    Attributes:
        person: what is declared.
        rows: which ones are the person's.
        pseudonym: of the person.
        position: of the column with the id.
    """

    person: Person
    rows: pa.Array
    pseudonym: str
    position: int


def hashed(key: bytes, kind: str, value: str) -> bytes:
    """The keyed hash of an id, which stands for it in the ledger.

    Args:
        key: the ledger's.
        kind: of person.
        value: the id, as text.
    """
    return hashlib.blake2b(f"{kind}\n{value}".encode("utf-8", "surrogatepass"), key=key).digest()


def fitting(pseudonym: str, *, is_number: bool) -> str:
    """A pseudonym as a column can hold it.

    It may have been drawn while all such ids were texts. As a number it is then a negative one that it hashes to.

    Args:
        pseudonym: of the person, as the ledger has it.
        is_number: the column is an integer or a bigint.
    """
    if not is_number or re.fullmatch("-[0-9]+", pseudonym):
        return pseudonym
    digest = hashlib.blake2b(pseudonym.encode(), digest_size=8).digest()
    return str(-1 - int.from_bytes(digest, "big") % (2**31 - 1))


def secret(connection: Connection[Any]) -> bytes:
    """The ledger's key.

    Raises:
        JourneyError: it is gone.
    """
    row = connection.execute("select secret from loader.forgotten_key").fetchone()
    if row is None:
        raise JourneyError("loader.forgotten_key is empty, so nobody who was forgotten is known: restore its row")
    return bytes(row[0])


class Forgotten:
    """Forgotten persons of the kinds that a feed has."""

    def __init__(self, source: Source, key: bytes, pseudonyms: Mapping[tuple[str, bytes], str]) -> None:
        """Remember them.

        Args:
            source: the feed.
            key: of the hashes.
            pseudonyms: by kind and hash.
        """
        self._source, self._key, self._pseudonyms = source, key, pseudonyms
        self._kinds = {person.kind for person in source.persons.values()}
        delimiter = getattr(source.format_options, "delimiter", None)
        self._delimiter = delimiter if isinstance(delimiter, str) else None

    @classmethod
    def read(cls, connection: Connection[Any], source: Source) -> Forgotten | None:
        """Whom the ledger knows; None if nobody of a kind that the feed has.

        Args:
            connection: to the ledger.
            source: the feed.
        """
        if not source.persons:
            return None
        rows = connection.execute(
            "select kind, id_hash, pseudonym from loader.forgotten where kind = any(%s)",
            [[person.kind for person in source.persons.values()]],
        ).fetchall()
        found = {(kind, bytes(id_hash)): pseudonym for kind, id_hash, pseudonym in rows}
        return cls(source, secret(connection), found) if found else None

    @classmethod
    def read_still(cls, connection: Connection[Any], source: Source) -> Forgotten | None:
        """The same, and nobody is forgotten until the transaction ends."""
        if not source.persons:
            return None
        connection.execute("select pg_advisory_xact_lock_shared(%s)", [FORGET_LOCK])
        return cls.read(connection, source)

    def find(self, arrays: Sequence[pa.Array], columns: Sequence[Column]) -> list[Found]:
        """Who of them is in some rows.

        Args:
            arrays: the rows' values, one for each column.
            columns: of the raw table.
        """
        found = []
        for position, (array, column) in enumerate(zip(arrays, columns, strict=True)):
            person = self._source.persons.get(column.name)
            for value in array.unique().drop_null() if person else ():
                pseudonym = self._pseudonym(person.kind, str(value.as_py())) if person else None
                if person and pseudonym is not None:
                    found.append(Found(person, pc.fill_null(pc.equal(array, value), False), pseudonym, position))
        return found

    def without(self, batches: Iterator[Batch], columns: Sequence[Column], rejects: Rejects) -> Iterator[Batch]:
        """Rows as they may be loaded: those that are to be removed are gone, and others bear pseudonyms.

        Args:
            batches: of a file.
            columns: of the raw table, for the batches' arrays.
            rejects: counts what is withheld.
        """
        for batch in batches:
            found = self.find(batch.arrays, columns) if batch.arrays else []
            arrays = list(batch.arrays)
            keep = pa.repeat(pa.scalar(True), len(arrays[0])) if arrays else None
            for one in found:
                if one.person.forget == "remove":
                    keep = pc.and_not(keep, one.rows)
                    continue
                ids = arrays[one.position]
                is_number = pa.types.is_integer(ids.type)
                called = fitting(one.pseudonym, is_number=is_number)
                pseudonym = pa.scalar(int(called) if is_number else called, ids.type)
                arrays[one.position] = pc.if_else(one.rows, pseudonym, ids)
                for position, column in enumerate(columns):
                    if column.name in self._source.personal:
                        nothing = pa.scalar(None, arrays[position].type)
                        arrays[position] = pc.if_else(one.rows, nothing, arrays[position])
            yield self._kept(batch, arrays, keep, rejects) if found else batch

    def hidden(self, text: str) -> str:
        """A text, or what stands for it if it names one of them."""
        return HIDDEN if self._names(text) else text

    def of_failure(self, error: TooManyRejectsError) -> TooManyRejectsError:
        """A failure whose refused rows, and the drift that explains them, name none of them."""
        kept = [self.of_rejected(one) for one in error.kept]
        changes = [change._replace(detail=self.hidden(change.detail)) for change in error.changes]
        return TooManyRejectsError(self.hidden(str(error)), kept, error.count, error.delivered, changes)

    def of_rejected(self, refused: Rejected) -> Rejected:
        """A refused row; without its text and its reason if it names one of them."""
        if self._names(f"{refused.reason}\n{refused.raw or ''}"):
            return refused._replace(reason=HIDDEN, raw=None)
        return refused

    def _kept(self, batch: Batch, arrays: list[pa.Array], keep: Any, rejects: Rejects) -> Batch:
        rows = pc.indices_nonzero(keep)
        rejects.withhold(len(keep) - len(rows))
        if len(rows) == len(keep):
            return replace(batch, arrays=arrays)
        origin = batch.origin
        return replace(
            batch, arrays=[array.filter(keep) for array in arrays], origin=lambda row: origin(rows[row].as_py())
        )

    def _pseudonym(self, kind: str, value: str) -> str | None:
        return self._pseudonyms.get((kind, hashed(self._key, kind, value)))

    def _names(self, text: str) -> bool:
        pieces = {piece for pattern in PIECES for piece in pattern.findall(text)}
        if self._delimiter:
            fields = (field for line in text.splitlines() for field in line.split(self._delimiter))
            pieces |= {field.strip().strip("\"'") for field in fields}
        pieces |= {piece.lstrip("0") for piece in pieces if piece.isdigit()}
        return any(self._pseudonym(kind, piece) is not None for kind in self._kinds for piece in pieces if piece)
