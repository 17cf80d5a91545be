"""Words of access and AI policy that nobody knows: they forbade nothing, whatever they were meant to."""

from typing import Any

from django.db import migrations

ACCESS = ("inherit", "public", "staff", "private")
AI_POLICY = ("inherit", "allowed", "restore-only", "none")


def mend(apps: Any, _schema: Any) -> None:
    """The strictest word takes an unknown one's place, and what holds below is worked out anew, as
    `services.refresh_tree` does."""
    rows = list(apps.get_model("catalogue", "Collection").objects.order_by("pk"))
    wrong = {row.pk for row in rows if row.access not in ACCESS or row.ai_policy not in AI_POLICY}
    if not wrong:
        return
    below: dict[Any, list[Any]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    waiting = [(row, None) for row in below.get(None, [])]
    while waiting:
        row, parent = waiting.pop()
        if row.access not in ACCESS:
            row.access = "private"
        if row.ai_policy not in AI_POLICY:
            row.ai_policy = "none"
        if wrong & set(row.path):
            _inherit(row, parent)
            row.save()
        waiting += [(child, row) for child in below.get(row.pk, [])]


def _inherit(row: Any, parent: Any) -> None:
    own = row.access != "inherit"
    row.effective_access = row.access if own or parent is None else parent.effective_access
    if row.ai_policy != "inherit":
        row.effective_ai_policy = row.ai_policy
    else:
        row.effective_ai_policy = parent.effective_ai_policy if parent else "allowed"
    if row.access == "private":
        row.private_root = row.pk
    else:
        row.private_root = None if own or parent is None else parent.private_root


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0005_policy_events")]

    operations = [migrations.RunPython(mend, migrations.RunPython.noop)]
