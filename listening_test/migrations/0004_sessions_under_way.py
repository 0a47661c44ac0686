"""Who is still at it is found at once, however many have been there."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listening_test", "0005_preparations")]
    operations = [
        migrations.AddIndex(
            "listeningsession",
            models.Index(
                fields=["study", "seen_at"],
                condition=models.Q(given_up_at__isnull=True, completed_at__isnull=True),
                name="sessions_under_way",
            ),
        )
    ]
