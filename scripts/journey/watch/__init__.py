"""`journey watch`: feeds and marts against their own past, as the tests `no_anomalies` of the project declare it.

The macros in macros/watching work everything out; here it is read, shown and sent on.
"""
