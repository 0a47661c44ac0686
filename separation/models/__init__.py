"""Songs, the jobs that separate them, the stems that come out, and what is measured on those.

Facts about one row and the constraints the database must hold; nothing here writes another row.
"""

from separation.models.imported import ImportedSystem
from separation.models.measurement import Measurement, SourceMeasurement
from separation.models.separation_job import SeparationJob
from separation.models.song import Song, Source, mixture_path, song_path
from separation.models.stem import Stem, stem_path
from separation.models.work import Work

__all__ = [
    "ImportedSystem",
    "Measurement",
    "SeparationJob",
    "Song",
    "Source",
    "SourceMeasurement",
    "Stem",
    "Work",
    "mixture_path",
    "song_path",
    "stem_path",
]
