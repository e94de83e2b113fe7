"""What is said of a feed as a whole, and of whose columns it has."""

from __future__ import annotations

import pytest

from journey.scaffold.delivering import find_keys
from journey.scaffold.naming import is_persons
from journey.scaffold.proposal import Field, Proposal
from journey.scaffold.proposing import PERSONAL, propose
from loader.support import Landing

HEADER = "InvoiceLineId;E-Mail;Betrag;Menge"


def keyed(files: list[list[tuple[int, str]]]) -> Proposal:
    """A feed of an id and a name, with its key looked for."""
    rows = [row for file in files for row in file]
    fields = [
        Field("InvoiceLineId", "integer", values=[str(number) for number, _ in rows]),
        Field("title", "text", values=[title for _, title in rows]),
    ]
    proposal = Proposal("shop", "lines", "b", "in/", fields=fields)
    find_keys(proposal, [len(file) for file in files])
    return proposal


@pytest.mark.parametrize(
    ("more", "keys", "told"),
    [
        ([], ("InvoiceLineId",), "InvoiceLineId tells rows apart in each file, of 30"),
        ([(5, "t1")], (), "1 row is there twice; without it InvoiceLineId tells rows apart in each file, of 31"),
        ([(5, "t1"), (5, "t1")], (), "2 rows repeat others; without them InvoiceLineId tells rows apart"),
        ([(5, "t1"), (6, "other")], (), "1 row is there twice; without it InvoiceLineId and title tell rows apart"),
        ([(5, "other"), (6, "other")], ("InvoiceLineId", "title"), "InvoiceLineId and title tell rows apart"),
    ],
)
def test_rows_that_are_there_twice_do_not_hide_a_key(
    more: list[tuple[int, str]], keys: tuple[str, ...], told: str
) -> None:
    rows = [(number, f"t{number % 4}") for number in range(30)]
    one = keyed([[*rows, *more]])
    assert one.keys == keys, one.notes
    assert told in one.notes[0].text


def test_a_row_of_another_file_repeats_nothing() -> None:
    rows = [(number, f"t{number % 4}") for number in range(30)]
    assert keyed([rows, rows]).keys == ("InvoiceLineId",)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            "First Name, Nachname, E-Mail, email_address, Telefon-Nr., Straße, customer.email, Billing Name, dob",
            True,
        ),
        ("Lieferadresse, billing_address.address1, geboren am, Hausnummer, Kundenname, Date of Birth", True),
        (
            "name, product name, Artikelname, Filialname, store_address, customer_id, Kunden-Nr., Lieferdatum, city",
            False,
        ),
    ],
)
def test_names_that_say_that_a_column_is_a_persons(names: str, said: bool) -> None:
    assert {one: is_persons(one) for one in names.split(", ")} == dict.fromkeys(names.split(", "), said)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("customers", True),
        ("crm_kunden", True),
        ("Members", True),
        ("products", False),
        ("memberships", False),
        ("", False),
    ],
)
def test_a_name_is_a_persons_in_a_list_of_persons(table: str, said: bool) -> None:
    assert is_persons("Name", table) == said
    assert not is_persons("product name", table)


def test_persons_and_thousands_are_doubts_and_nothing_is_declared_of_them(landing: Landing) -> None:
    rows = "".join(f"{n};a{n}@example.test;{n},50;{n * 100}\n" for n in range(30))
    landing.put("in/a.csv", f"{HEADER}\n{rows}")
    one = propose(landing.client, landing.bucket, "in/", source="shop", table="lines")
    assert [field.name for field in one.fields if PERSONAL in field.doubts] == ["E-Mail"]
    assert one.options == {"delimiter": ";", "decimal_mark": ",", "key_columns": ["InvoiceLineId"]}
    doubt = "no sampled value of Betrag reaches 1000: if larger ones are written like 1.234,56, declare thousands_mark"
    assert [note.text for note in one.notes if note.is_doubt and doubt in note.text]
