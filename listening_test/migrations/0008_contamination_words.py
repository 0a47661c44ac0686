"""Studies choose the words of Contamination; a design says in which form it was digested."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listening_test", "0007_spoken_checks")]

    operations = [
        migrations.AddField(
            "study",
            "contamination_words",
            models.CharField(
                choices=[
                    ("amount", "How much of the others is heard: from “very much” to “none”"),
                    ("acr", "The words of Quality: from “bad” to “excellent”"),
                ],
                default="amount",
                max_length=8,
            ),
        ),
        migrations.AddField(
            "study", "design_form", models.PositiveSmallIntegerField(default=1, editable=False)
        ),  # of what was digested until now
        migrations.AlterField("study", "design_form", models.PositiveSmallIntegerField(default=2, editable=False)),
    ]
