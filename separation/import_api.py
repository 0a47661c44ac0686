"""Stems of other systems, for a researcher's own programs."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from separation import messages, selectors
from separation.import_pages import result_shown
from separation.serializers import ErrorSerializer
from separation.services.import_uploads import Sent, uploads_import
from separation.services.imported_systems import system_delete
from separation.services.imports import Imported, Wish
from separation.services.songs import UploadRefused
from separation.uploads import LimitedUploadHandler


class SongMapField(serializers.JSONField):
    def to_internal_value(self, data: Any) -> dict[str, str]:
        """A JSON object of text; multipart forms have it as text."""
        try:
            told = json.loads(data) if isinstance(data, str) and data.strip() else data or {}
        except json.JSONDecodeError:
            told = None
        if not isinstance(told, dict) or not all(isinstance(each, str) for each in told.values()):
            raise serializers.ValidationError("a JSON object of folders and songs is wanted")
        return told


class ImportWishSerializer(serializers.Serializer[Any]):
    system = serializers.CharField(help_text="The name under which results show it, e.g. Band-Split RNN.")
    description = serializers.CharField(required=False, allow_blank=True, default="")
    stems = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        help_text="One ZIP archive with song/source.wav in it, or sound files named after their sources.",
    )
    paths = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        required=False,
        default=list,
        help_text="For single files, in their order: where each lies, e.g. My song/vocals.wav.",
    )
    song_map = SongMapField(
        required=False, help_text='JSON: the song (id, title or file name) of a folder; of any other one under "*".'
    )
    convert = serializers.BooleanField(default=False, help_text="Convert other sample rates to 44.1 kHz.")
    replace = serializers.BooleanField(default=False, help_text="Replace the stems that a song has of this system.")
    dry_run = serializers.BooleanField(default=False, help_text="Check everything and store nothing.")

    def wish(self) -> Wish:
        names = ("system", "description", "convert", "replace", "dry_run")
        chosen = {name: self.validated_data[name] for name in names}
        return Wish(**chosen, song_map=self.validated_data.get("song_map", {}))


class ImportedSongSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    artist = serializers.CharField()
    url = serializers.CharField(help_text="The song's page.")


class ImportedStemSerializer(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    source_name = serializers.CharField(help_text="In the language of the request.")
    name = serializers.CharField(help_text="Of the file.")
    lag = serializers.IntegerField(help_text="Samples by which it began late; it was moved by as many.")
    correlation = serializers.FloatField(allow_null=True, help_text="With the mixture, 0–1; null for a silent stem.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="In the language of the request.")
    note_codes = serializers.ListField(child=serializers.CharField())


class ImportResultSerializer(serializers.Serializer[Any]):
    folder = serializers.CharField()
    state = serializers.CharField(help_text="imported, checked, choice (of the song) or refused.")
    state_name = serializers.CharField(help_text="In the language of the request.")
    song = ImportedSongSerializer(allow_null=True)
    candidates = ImportedSongSerializer(many=True, help_text="Songs that may be meant, where it is not sure.")
    code = serializers.CharField(help_text='Why it was not imported, else "".')
    sentence = serializers.CharField(help_text="The same for a person, in the language of the request.")
    job = serializers.UUIDField(allow_null=True, help_text="Of what was imported.")
    stems = ImportedStemSerializer(many=True)
    ignored = serializers.ListField(child=serializers.CharField(), help_text="Files that are no stems.")


class ImportSerializer(serializers.Serializer[Any]):
    system = serializers.CharField(help_text="Its key.")
    name = serializers.CharField()
    results = ImportResultSerializer(many=True, help_text="One for each folder.")


class ImportedSystemSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    songs = serializers.IntegerField(help_text="How many songs have stems of it.")
    created_at = serializers.DateTimeField()


REFUSED = OpenApiResponse(ErrorSerializer, "Nothing was kept; the sentence says why.")


class ImportList(APIView):
    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """How files are received must be said before anything reads the form."""
        self.receiver = LimitedUploadHandler(request, limit=settings.IMPORT_MAX_BYTES)
        request.upload_handlers = [self.receiver]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        tags=["imports"],
        summary="Import stems that another model has made",
        description="All or nothing for each song: 201 where every folder was imported, 200 where some were not, or "
        "nothing was to be stored.",
        request={"multipart/form-data": ImportWishSerializer},
        responses={201: ImportSerializer, 200: ImportSerializer, 400: REFUSED},
    )
    def post(self, request: Request) -> Response:
        asked = ImportWishSerializer(data=request.data)
        if self.receiver.refused:
            name, code = self.receiver.refused[0]
            return _refused(code, {"file": name, "limit_mb": settings.IMPORT_MAX_BYTES // 2**20})
        asked.is_valid(raise_exception=True)
        files: list[UploadedFile[Any]] = request.FILES.getlist("stems")
        paths = [*request.POST.getlist("paths"), *[""] * len(files)]
        sent: list[Sent] = [(path or file.name or "", file) for path, file in zip(paths, files, strict=False)]
        try:
            imported = uploads_import(sent=sent, wish=asked.wish(), by=request.user)
        except UploadRefused as refusal:
            return _refused(refusal.code, refusal.params)
        return _answer(imported)


class ImportedSystemList(APIView):
    @extend_schema(
        tags=["imports"], summary="Imported systems, oldest first", responses=ImportedSystemSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        return Response(ImportedSystemSerializer(selectors.imported_systems(), many=True).data)


class ImportedSystemDetail(APIView):
    @extend_schema(
        tags=["imports"], summary="Delete an imported system with all its stems", responses={204: None, 409: REFUSED}
    )
    def delete(self, request: Request, key: str) -> Response:
        system = next((each for each in selectors.imported_systems() if each.key == key), None)
        if system is None:
            return Response(status=status.HTTP_404_NOT_FOUND)
        try:
            system_delete(system=system)
        except UploadRefused as refusal:
            return _refused(refusal.code, refusal.params, status.HTTP_409_CONFLICT)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(imported: Imported) -> Response:
    everything = all(result.state == "imported" for result in imported.results)
    results = [result_shown(result) for result in imported.results]
    shown = {"system": imported.system.key, "name": imported.system.name, "results": results}
    return Response(ImportSerializer(shown).data, status.HTTP_201_CREATED if everything else status.HTTP_200_OK)


def _refused(code: str, params: dict[str, Any], answer: int = status.HTTP_400_BAD_REQUEST) -> Response:
    sentence = messages.refusal_sentence(code, params)
    return Response({"code": code, "params": params, "sentence": sentence}, answer)
