"""Each session counts its ratings, so that results know cheaply whether there is anything new."""

from django.db import migrations, models
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce


def count(apps, schema_editor):
    session = apps.get_model("listening_test", "ListeningSession")
    own = apps.get_model("listening_test", "Rating").objects.filter(
        trial__session=OuterRef("pk"), trial__instructed__isnull=True, trial__clip__purpose="test"
    )
    counts = own.order_by().values("trial__session").annotate(count=Count("id")).values("count")
    session.objects.update(rating_count=Coalesce(Subquery(counts), 0))
    session.objects.update(rating_changes=F("rating_count"))


class Migration(migrations.Migration):
    dependencies = [("listening_test", "0004_sessions_under_way")]

    operations = [
        migrations.AddField(
            "listeningsession", "rating_count", models.PositiveIntegerField(default=0, editable=False)
        ),
        migrations.AddField(
            "listeningsession", "rating_changes", models.PositiveIntegerField(default=0, editable=False)
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
