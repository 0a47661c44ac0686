"""An index by which the places held are counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listening_test", "0008_contamination_words")]

    operations = [
        migrations.AddIndex(
            "listeningsession",
            models.Index(
                fields=["study", "slot", "given_up_at"],
                condition=models.Q(given_up_at__isnull=True, slot__isnull=False),
                name="places_held",
            ),
        )
    ]
