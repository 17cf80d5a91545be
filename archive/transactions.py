"""What a transaction may ask of the database's session."""

from django.db import connection


def may_be_silent() -> None:
    """This transaction reads or writes files between its statements, which may take as long as it takes: its session is
    not ended for being silent (see DATABASES in the settings)."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
