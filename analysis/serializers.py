"""The report as JSON, for a researcher's own programs. Keys as in the CSV files, numbers with all their digits."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analysis import words
from analysis.report import StudyReport
from analysis.verdict import verdict
from listening_test.scales import SCALES, ScaleKey


class IntervalSerializer(serializers.Serializer[Any]):
    low = serializers.FloatField()
    high = serializers.FloatField()
    centre = serializers.FloatField()
    se = serializers.FloatField(help_text="standard error of the centre")
    df = serializers.FloatField(help_text="degrees of freedom of Student’s t")
    level = serializers.FloatField()


class MosRowSerializer(serializers.Serializer[Any]):
    """`system`, `source` and `song` are empty where the line is over all of them."""

    scale = serializers.ChoiceField(choices=ScaleKey.choices)
    grouping = serializers.CharField()
    system = serializers.CharField(allow_blank=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    song = serializers.CharField(allow_blank=True)
    ratings = serializers.IntegerField()
    listeners = serializers.IntegerField()
    mos = serializers.FloatField()
    sd = serializers.FloatField(allow_null=True)
    listener_mean = serializers.FloatField(help_text="mean of the listeners’ means: the centre of the interval")
    listener_sd = serializers.FloatField(allow_null=True)
    these_clips = IntervalSerializer(allow_null=True, help_text="“these clips, any listener”")
    these_clips_reason = serializers.CharField(allow_blank=True, help_text="why there is no interval")
    any_song = IntervalSerializer(allow_null=True, help_text="“any song, any listener”")
    any_song_reason = serializers.CharField(allow_blank=True, help_text="why there is no interval")


class DifferenceSerializer(serializers.Serializer[Any]):
    interval = IntervalSerializer(allow_null=True, help_text="its centre is the mean difference")
    p = serializers.FloatField(allow_null=True)
    p_holm = serializers.FloatField(allow_null=True, help_text="adjusted over all pairs of the scale and source")
    p_bh = serializers.FloatField(allow_null=True, help_text="Benjamini–Hochberg, over the same pairs")
    reason = serializers.CharField(allow_blank=True, help_text="why there is none")


class PairRowSerializer(serializers.Serializer[Any]):
    """First minus second, on what the same listener said of the same excerpt and source."""

    scale = serializers.ChoiceField(choices=ScaleKey.choices)
    source = serializers.CharField(allow_blank=True, help_text="empty: over all sources")  # type: ignore[assignment]
    first = serializers.CharField()
    second = serializers.CharField()
    pairs = serializers.IntegerField()
    listeners = serializers.IntegerField()
    songs = serializers.IntegerField()
    these_clips = DifferenceSerializer()
    any_song = DifferenceSerializer()
    wins = serializers.IntegerField(help_text="single comparisons in which the first is ahead")
    ties = serializers.IntegerField()
    losses = serializers.IntegerField()
    win_rate = serializers.FloatField(allow_null=True, help_text="ties counted half")
    difference = serializers.FloatField(allow_null=True, help_text="mean of the single ones")
    effect = serializers.FloatField(allow_null=True, help_text="difference in standard deviations of a single one")
    margin = serializers.FloatField(help_text="of equivalence, in points of the scale")
    tost_p = serializers.FloatField(allow_null=True, help_text="of “at least the margin apart”, any song and listener")


class SessionsSerializer(serializers.Serializer[Any]):
    started = serializers.IntegerField()
    completed = serializers.IntegerField()
    simulated = serializers.IntegerField()


class CountsSerializer(serializers.Serializer[Any]):
    stored = serializers.IntegerField(help_text="all ratings of the study")
    counted = serializers.IntegerField(help_text="those that the numbers are made of")
    not_final = serializers.IntegerField()
    repeats = serializers.IntegerField()
    simulated_left_out = serializers.IntegerField()
    listeners = serializers.IntegerField()
    songs = serializers.IntegerField()
    fewest_per_clip = serializers.IntegerField()
    most_per_clip = serializers.IntegerField()
    simulated = serializers.BooleanField(help_text="the numbers are those of simulated listeners")
    demo = serializers.BooleanField(help_text="a song or a system’s weights are the project’s own")


class VerdictSerializer(serializers.Serializer[Any]):
    """Which system is best, as far as the ratings allow to say it."""

    scale = serializers.CharField()
    kind = serializers.ChoiceField(choices=["nothing", "alone", "early", "tied", "open", "leads"])
    best = serializers.CharField(source="best.system", default="")
    ahead_of = serializers.ListField(child=serializers.CharField())
    open_against = serializers.ListField(child=serializers.CharField())
    holds_for_songs = serializers.BooleanField(help_text="the lead is established for other songs as well")
    sentence = serializers.SerializerMethodField()

    def get_sentence(self, found: Any) -> str:
        return words.headline(found)


class ReportSerializer(serializers.Serializer[Any]):
    study = serializers.UUIDField(source="study_id")
    name = serializers.CharField()
    version = serializers.CharField(help_text="changes when anything in the report has changed")
    is_demo = serializers.BooleanField()
    systems = serializers.ListField(child=serializers.CharField())
    sources = serializers.ListField(child=serializers.CharField())
    songs = serializers.ListField(child=serializers.CharField())
    weights = serializers.DictField(
        child=serializers.CharField(), help_text="of each system: published, demo, unpinned, package or imported"
    )
    sessions = SessionsSerializer()
    counts = CountsSerializer()
    verdicts = serializers.SerializerMethodField()
    rows = MosRowSerializer(many=True)
    pairs = PairRowSerializer(many=True)
    methods = serializers.ListField(child=serializers.CharField())
    versions = serializers.DictField(child=serializers.CharField(), help_text="of the packages that computed it")
    digest = serializers.CharField(help_text="sha256 of the CSV of ratings")

    @extend_schema_field(VerdictSerializer(many=True))
    def get_verdicts(self, report: StudyReport) -> Any:
        return VerdictSerializer([verdict(report, scale) for scale in SCALES], many=True).data


class ResultsStateSerializer(serializers.Serializer[Any]):
    """Small enough to be asked for every few seconds."""

    version = serializers.CharField(source="state.version", help_text="changes when anything stored has changed")
    shown = serializers.CharField(source="version", help_text="version of the report that is shown; empty before it")
    news = serializers.SerializerMethodField(help_text="a sentence, while new ratings are being added to the report")
    ratings = serializers.IntegerField(source="state.ratings", help_text="all that are stored")
    sessions = serializers.IntegerField(source="state.sessions")
    completed = serializers.IntegerField(source="state.completed")

    def get_news(self, shown: Any) -> str:
        return words.news(shown)
