"""A workbook in Office Open XML, read part by part and row by row, with every cell as the file has it.

It is ours because the libraries aren't strict: `python-calamine` reads `#N/A` and a formula without a value as empty
cells, 1900-02-29 as the day before, and dates before 1900 as midnight; `openpyxl` does the last two, and is slower.
"""
