"""`journey why`: from a mart's published figure to the fact rows, the raw rows and the lines of files that make it.

`declared` reads how a mart is traced from the YAML beside it, `finding` asks the database, `lines` reads the files
again, `report` tells.
"""
