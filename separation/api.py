"""The researcher's read API."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import LimitOffsetPagination

from separation.models import SeparationJob, Song, Stem
from separation.selectors import jobs_of, songs_with_jobs, stems_of
from separation.serializers import JobSerializer, SongSerializer, StemSerializer

OF_SONG = OpenApiParameter("song", OpenApiTypes.UUID, description="Only of this song.")
IN_STATES = OpenApiParameter("state", str, description="Only in these states, separated by commas.")


class Pages(LimitOffsetPagination):
    default_limit = 100
    max_limit = 500


@extend_schema(tags=["songs"], summary="All songs, newest first, with their jobs and stems")
class SongList(ListAPIView[Song]):
    serializer_class = SongSerializer
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Song]:
        return songs_with_jobs()


@extend_schema(tags=["songs"], summary="One song with its jobs and stems")
class SongDetail(RetrieveAPIView[Song]):
    serializer_class = SongSerializer

    def get_queryset(self) -> QuerySet[Song]:
        return songs_with_jobs()


@extend_schema(tags=["songs"], summary="Separation jobs, oldest first", parameters=[OF_SONG, IN_STATES])
class JobList(ListAPIView[SeparationJob]):
    serializer_class = JobSerializer
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[SeparationJob]:
        asked = self.request.query_params
        return jobs_of(song=asked.get("song"), states=asked.get("state"))


@extend_schema(tags=["songs"], summary="One separation job: state, progress, error, stems")
class JobDetail(RetrieveAPIView[SeparationJob]):
    serializer_class = JobSerializer

    def get_queryset(self) -> QuerySet[SeparationJob]:
        return jobs_of()


@extend_schema(tags=["songs"], summary="Stems, by song and source", parameters=[OF_SONG])
class StemList(ListAPIView[Stem]):
    serializer_class = StemSerializer
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Stem]:
        return stems_of(song=self.request.query_params.get("song"))
