"""A header in each encoding of one byte a character, above values of ASCII alone, and names with signs in them."""

from __future__ import annotations

import pytest

from journey.errors import UsageError
from journey.scaffold.proposing import propose
from journey.scaffold.sampling import Head, Sample
from journey.scaffold.shapes import Shape, of_texts
from loader.support import Landing

GERMAN = "Beleg-Nr.;Datum;Stück;Größe (brutto)"
RUSSIAN = "Чек;Дата;Количество;Цена (нетто)"
SIGNS = 'Beleg/Nr.;"Kunde ""alt""";Anteil %;Maß\'s;Preis/Stück (brutto), €;50 % [Netto]'


def lines(header: str, rows: int) -> str:
    """A file whose values are ASCII."""
    return "\n".join([header, *(f"R-{row};{row % 28 + 1:02}.06.2026;{row % 7};{row},50" for row in range(rows)), ""])


def shape_of(data: bytes) -> Shape:
    """What a file's bytes are."""
    return of_texts([Sample("a.csv", "text", [Head("a.csv", data, is_whole=True)])])


@pytest.mark.parametrize("rows", [1, 30, 400])
@pytest.mark.parametrize(
    ("header", "written", "guess"),
    [
        (GERMAN, "windows-1252", "windows-1252"),
        (GERMAN, "iso-8859-15", "windows-1252"),
        (GERMAN, "windows-1250", "windows-1252"),
        (GERMAN, "cp850", "cp850"),
        (GERMAN, "cp437", "cp850"),
        (GERMAN, "mac-roman", "windows-1252"),
        (RUSSIAN, "windows-1251", "windows-1252"),
        (RUSSIAN, "cp866", "cp850"),
        (RUSSIAN, "koi8-r", "windows-1252"),
    ],
)
def test_a_header_alone_says_that_a_file_is_not_utf_8(header: str, written: str, guess: str, rows: int) -> None:
    data = lines(header, rows).encode(written)
    shape = shape_of(data)
    assert (shape.options, len(shape.fields)) == ({"encoding": guess, "delimiter": ";"}, 4), shape.notes
    assert all(one.name.isprintable() and len(one.values) == rows for one in shape.fields)
    assert [one.name for one in shape.fields] == header.encode(written).decode(guess).split(";")
    assert any(f"{guess} is a guess" in note.text for note in shape.notes if note.is_doubt)


def test_a_row_that_is_not_utf_8_does_not_change_a_file_that_is() -> None:
    data = lines(GERMAN, 60).encode() + b"R-60;01.06.2026;1;M\xfcller\n"
    shape = shape_of(data)
    assert "encoding" not in shape.options
    assert any("others have letters in UTF-8" in note.text for note in shape.notes)


def test_a_header_in_another_encoding_than_the_values_is_named(landing: Landing) -> None:
    values = "".join(f"R-{row};01.06.2026;1;{'Müller' * (row % 3)}\n" for row in range(60))
    landing.put("in/a.csv", GERMAN.encode("windows-1252") + b"\n" + values.encode())
    with pytest.raises(UsageError, match="no column was found in it; 1 of 62 lines aren't UTF-8, line 1 among them"):
        propose(landing.client, landing.bucket, "in/", source="shop", table="sales")


def test_names_with_signs_load_as_they_are(landing: Landing) -> None:
    rows = "".join(f"R-{row};C-{row % 5};{row % 9},5;a;{row},50;{row % 3}\n" for row in range(60))
    landing.put("in/a.csv", f"{SIGNS}\n{rows}".encode("windows-1252"))
    one = propose(landing.client, landing.bucket, "in/", source="shop", table="sales")
    names = ["Beleg/Nr.", 'Kunde "alt"', "Anteil %", "Maß's", "Preis/Stück (brutto), €", "50 % [Netto]"]
    assert [field.name for field in one.fields] == names
    assert landing.load(one.declaration()).exit_status == 0
    said = 'select sum("Preis/Stück (brutto), €"), count("Kunde ""alt""") from raw_shop.sales'
    assert landing.query(said) == [(1800, 60)]
