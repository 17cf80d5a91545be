"""Sheets: read (`reading`), understood column by column (`columns`) and cell by cell (`cells`), taken in whole or not
at all (`importing`), and written out again (`exporting`) so that bringing back what was written changes nothing.
"""
