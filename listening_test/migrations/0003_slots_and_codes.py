"""Sessions from before had their place in the design in `number`, and no personal code; languages are files."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F

from listening_test.models.listener import new_personal_code
from listening_test.models.study import languages


def slots_and_codes(apps: Any, schema_editor: Any) -> None:
    sessions = apps.get_model("listening_test", "ListeningSession").objects
    sessions.filter(slot__isnull=True, is_test=False).update(slot=F("number"))
    for session in sessions.filter(personal_code__isnull=True).iterator():
        sessions.filter(pk=session.pk).update(personal_code=new_personal_code())


class Migration(migrations.Migration):
    dependencies = [("listening_test", "0002_a_scientists_instrument")]
    operations = [
        migrations.RunPython(slots_and_codes, migrations.RunPython.noop),
        # The languages are no part of the database: one more is one file more.
        *(
            migrations.AlterField(model, "language", models.CharField(choices=languages, max_length=10))
            for model in ("listeningsession", "studytext")
        ),
    ]
