"""Bulk import: a file of assets, parties, leases or reports becomes rows of the database, all of them or none.

In reading order: `tables` (bytes to tables of text, CSV and XLSX), `columns` (what each kind of table may hold, and templates),
`rows` (a row's text to values, or its faults), `run` (rows to the database through `store`, each fault named by its row).
"""
