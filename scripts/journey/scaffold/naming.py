"""What columns are called: words that SQL has taken, and names that suggest a column of a contract."""

from __future__ import annotations

import re
import unicodedata

LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "å": "a"})
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# words of SQL that columns are often called: as names they stand with what they are of
WORDS = """
action all any as at authorization between both by case cast check class collate column comment condition constraint
content count create current data default delete desc description distinct document domain else end except false
first for from full grant group grouping having hour in index inner insert into is join key label language last left
level like limit local location lock match method minute mode move names natural no not notes null number object of
off offset on only option or order outer owner overlaps parameter partition path period placing plan policy position
precision primary procedure public range read reference references region release return returns right role row rows
sale schema second section select sequence session set similar size some source sql state statement status storage
subject sum summary system table tag target temporary text then time timestamp title to total transaction trigger
true truncate union unique until update user using valid values variable view when where window with without work
zone
"""
TAKEN = frozenset(WORDS.split())
# what a contract's column may be called in files, as whole names in small letters without signs between
CALLED: dict[str, str] = {
    "basket_id": "basket basketid bon bonid bonnr bonnummer receipt receiptid receiptno receiptnumber "
    "order orderid orderno ordernumber ordername transactionid belegnr belegnummer "
    "rechnungsnr rechnungsnummer invoice invoiceno auftragsnr auftragsnummer kassenbon ticket "
    "ticketid",
    "product_id": "product productid productcode sku lineitemsku item itemid itemno itemnumber article "
    "articleid articleno artikel artikelnr artikelnummer material materialnr materialnummer "
    "ean gtin variantid",
    "line_number": "line lineno linenumber lineid pos position posnr positionsnr zeile zeilennr itempos",
    "line_kind": "kind linekind linetype vorgang vorgangsart belegart transactiontype",
    "customer_id": "customer customerid customerno customernumber kunde kundenid kundennr kundennummer "
    "debitor debitornr email customeremail householdid cardno cardnumber memberid",
    "store_id": "store storeid storeno shop shopid branch branchid filiale filialnr filialnummer markt "
    "marktnr location locationid outlet werk",
    "sold_at": "soldat transactiontimestamp timestamp createdat orderdate ordertime zeitpunkt "
    "zeitstempel paidat processedat datetime saletime",
    "business_date": "businessdate saledate date datum belegdatum buchungsdatum buchungstag rechnungsdatum "
    "invoicedate posteddate day tag",
    "quantity": "quantity qty lineitemquantity menge anzahl stueck units unitssold pieces",
    "gross_sales_amount": "gross grossamount grosssales grosssalesamount brutto bruttobetrag listamount",
    "net_sales_amount": "net netamount netsales netsalesamount sales salesvalue amount netto nettobetrag betrag "
    "umsatz nettoumsatz linetotal total revenue",
    "loyalty_discount_amount": "discount discountamount retaildisc rabatt rabattbetrag nachlass lineitemdiscount",
    "coupon_match_amount": "couponmatch couponmatchdisc",
    "manufacturer_coupon_amount": "coupondisc manufacturercoupon",
    "customer_paid_amount": "paid paidamount amountpaid zahlbetrag gezahlt",
    "extract_date": "extractdate stand asof stichtag snapshotdate exportdate",
    "manufacturer_id": "manufacturer manufacturerid vendor supplier supplierid lieferant lieferantennr "
    "hersteller erzeuger",
    "department": "department abteilung warengruppe productgroup category1",
    "brand": "brand marke",
    "product_category": "category productcategory kategorie bezeichnung productname title name",
    "product_type": "type producttype artikelart unit einheit",
    "package_size": "size packagesize packung gebinde groesse",
    "account_id": "account accountid accountno konto kontonr kontonummer sachkonto glaccount hkont",
    "account_name": "accountname kontobezeichnung kontoname",
    "journal_id": "journal journalid belegnr belegnummer docno documentno belnr journalentry",
    "posting_date": "postingdate buchungsdatum budat belegdatum",
    "entry_date": "entrydate erfassungsdatum cpudt",
    "fiscal_period": "period fiscalperiod periode buchungsperiode",
    "debit_amount": "debit debitamount soll sollbetrag",
    "credit_amount": "credit creditamount haben habenbetrag",
    "budget_amount": "budget budgetamount planbetrag",
    "budget_version": "version budgetversion planversion",
}  # fmt: skip

# whose column it is, and what of a person it may hold, as whole names in small letters without signs between
WHOSE = "billing|shipping|delivery|customer|client|contact|user|member|kunden|kontakt|rechnungs|liefer|privat"
PERSONS = re.compile(
    rf"({WHOSE})?(first|last|given|family|middle|full|sur|fore|vor|nach|zu|familien|geburts)name|({WHOSE})name"
    rf"|ansprechpartner|({WHOSE})?(e?mail(address|adresse)?|(cell|mobile|tele)?phone(no|number)?|mobile(no|number)?"
    rf"|(telefon|mobil|handy)(nr|nummer)?|(mailing|home|street)?address(line)?[123]?|street(name|no|number)?"
    rf"|adresse|anschrift|strasse|hausn(umme)?r|birth(date|day)|dateofbirth|dob|geburtsdatum|geburtstag|geborenam)"
)
PEOPLE = re.compile(
    r"customers?|clients?|contacts?|users?|households?|members?|persons?|people|employees?|staff|patients?|guests?|leads?"
    r"|subscribers?|buyers?|kunden?|kontakte?|mitglied(er)?|personen|mitarbeiter|patienten|gaeste|teilnehmer"
)


def is_persons(name: str, table: str = "") -> bool:
    """Whether a column's name says that its values are a person's: name, e-mail, phone, address, day of birth.

    Args:
        name: as the file has it; of a key in a JSON object, with the keys that lead to it.
        table: whose column it is: a `name` in a list of customers is a person's, in one of products it isn't.
    """
    if squeezed(name) == "name":
        return any(PEOPLE.fullmatch(squeezed(word)) for word in table.split("_"))
    return any(PERSONS.fullmatch(squeezed(one)) for one in (name, name.rpartition(".")[2]))


def squeezed(name: str) -> str:
    """A name without signs and case."""
    return re.sub(r"[^a-z0-9]", "", name.lower().translate(LETTERS))


def snake(name: str, position: int) -> str:
    """A name as the project writes them."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().translate(LETTERS)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    plain = f"column_{position}" if not plain else plain if plain[0].isalpha() else f"column_{plain}"
    return plain[:63]


def identifier(name: str) -> str:
    """A file's name of a column in SQL."""
    return name if PLAIN.fullmatch(name) and name not in TAKEN else '"' + name.replace('"', '""') + '"'


def singular(table: str) -> str:
    """What one row of a table is called."""
    if table.endswith("ies"):
        return f"{table[:-3]}y"
    return table[:-1] if table.endswith("s") and not table.endswith("ss") else table
