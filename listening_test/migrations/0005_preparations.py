"""The making of a study's clips becomes a work of its own, with a lease like all others; clips are sent in one size.

A clip from before is sent in its file's size, which is one for all clips of its excerpt.
"""

from __future__ import annotations

import uuid
from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


def preparations_make(apps: Any, schema_editor: Any) -> None:
    """Every study that was asked to open has one; what was under way begins anew."""
    make = apps.get_model("listening_test", "Preparation").objects.get_or_create
    asked = apps.get_model("listening_test", "Study").objects.filter(preparation_sent_at__isnull=False)
    for study in asked.iterator():
        state = {"preparing": "queued", "draft": "cancelled"}.get(study.state, "done")
        make(study=study, defaults={"state": state, "progress": float(state == "done")})


class Migration(migrations.Migration):
    dependencies = [("listening_test", "0003_slots_and_codes")]
    operations = [
        migrations.AddField("clip", "sent_bytes", models.PositiveIntegerField(default=0)),
        migrations.CreateModel(
            name="Preparation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("progress", models.FloatField(default=0.0)),
                ("error_code", models.CharField(blank=True, max_length=40)),
                ("error_params", models.JSONField(blank=True, default=dict)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "study",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="preparation",
                        to="listening_test.study",
                    ),
                ),
            ],
            options={
                "verbose_name": "preparation",
                "verbose_name_plural": "preparations",
                "ordering": ["queued_at", "id"],
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            "preparation", models.Index(fields=["state", "lease_until"], name="listening_t_state_a17835_idx")
        ),
        migrations.AddConstraint(
            "preparation",
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "done", "failed", "cancelled"]),
                name="preparation_state_known",
            ),
        ),
        migrations.AddConstraint(
            "preparation",
            models.CheckConstraint(
                condition=models.Q(progress__gte=0.0, progress__lte=1.0), name="preparation_progress_is_a_share"
            ),
        ),
        migrations.AddConstraint(
            "preparation",
            models.CheckConstraint(
                condition=~models.Q(state="running") | models.Q(lease_token__isnull=False, lease_until__isnull=False),
                name="running_preparation_has_a_lease",
            ),
        ),
        migrations.AddConstraint(
            "preparation",
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(error_code=""), name="failed_preparation_says_why"
            ),
        ),
        migrations.RunPython(preparations_make, migrations.RunPython.noop),
        migrations.RemoveField("study", "preparation_until"),
        migrations.RemoveField("study", "preparation_sent_at"),
        migrations.RemoveField("study", "preparation_attempt"),
    ]
