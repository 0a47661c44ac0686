"""What a person reads about true stems and about what is measured against them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

REFERENCE_SENTENCES = {
    "references_in_use": _(
        "A study uses this song, so its true stems stay as they are: its clips were made from them. Nothing was "
        "changed. Remove the song's excerpts from the study first; in open and closed studies they stay, because the "
        "results need them."
    ),
    "source_unknown": _("There is no source called %(names)s. Nothing was kept. The API lists the sources."),
    "source_unnamed": _(
        "It cannot be seen from the name of this file what it holds. Nothing was kept. "
        "Please name it after its source, for example vocals.wav, drums.wav, bass.wav or other.wav."
    ),
    "source_twice": _(
        "Two of the files are called %(source)s. Nothing was kept. Please choose one file for each source."
    ),
    "references_all_silent": _(
        "All of these files are silent from start to end. Nothing was kept. Please check the export."
    ),
    "references_unrelated": _(
        "None of these files can be heard in the mixture, so they are not the stems of this song, or belong to another "
        "version of it. Nothing was kept. Please choose the stems from which this mixture was made."
    ),
    "reference_unrelated": _(
        "What this file holds (%(source)s) cannot be heard in the mixture, so it is no true stem of this song. Nothing "
        "was kept, of the other files either. Please choose the stem from which this mixture was made."
    ),
    "reference_late": _(
        "This file (%(source)s) begins %(seconds)s later than the mixture; more than %(limit)s is no encoder's padding "
        "but another cut of the song. Nothing was kept. Please export the stem from where the mixture begins."
    ),
    "reference_early": _(
        "This file (%(source)s) begins %(seconds)s earlier than the mixture; more than %(limit)s is no encoder's "
        "padding but another cut of the song. Nothing was kept. Please export the stem from where the mixture begins."
    ),
    "reference_length": _(
        "This file (%(source)s) lasts %(seconds)s, but the song lasts %(length)s. Nothing was kept. "
        "Please export the stem in the full length of the song."
    ),
    "not_stem_file": _(
        "A stem file of the MUSDB18 kind holds five audio streams (mixture, drums, bass, other, vocals); this file "
        "has %(streams)s. Nothing was kept. The song itself can be uploaded as M4A."
    ),
    "stems_missing": _(
        "A track of MUSDB18-HQ is a folder with mixture.wav, drums.wav, bass.wav, other.wav and vocals.wav; here is no "
        "%(names)s. Nothing was kept. Please complete the folder."
    ),
    "stem_lengths_differ": _(
        "The sounds of this track differ in length: %(shorter)s lasts %(seconds)s, %(longer)s lasts %(length)s. "
        "Nothing was kept. Please take the track from its original again."
    ),
}

MEASUREMENT_SENTENCES = {
    "no_references": _(
        "The song has no true stem of what this system separates, so there is nothing to measure against. The stems "
        "are safe. Upload the true stems on the song's page."
    ),
    "not_separated": _("This separation is not done, so there is nothing to measure yet. Nothing was changed."),
    "span_not_separated": _(
        "This part does not lie inside what the system has separated of the song. Nothing was changed. "
        "Choose a part inside it."
    ),
    "stem_damaged": _(
        "The stem %(source)s on the server's disk is gone or damaged. Other stems are not affected. Restore the data "
        "folder from a backup, or separate the song again."
    ),
    "whole_song_too_long": _(
        "This song is too long to be measured as a whole here: that needs %(needed_gb)s GB of memory, and the limit "
        "is %(limit_gb)s GB. Parts of it can be measured, or the limit raised (MEASURE_MEMORY_GB in "
        "docs/configuration.md)."
    ),
    "measurement_too_long": _(
        "Measuring all of this at once needs %(needed_gb)s GB of memory; the limit is %(limit_gb)s GB. The stems are "
        "safe. Measure a shorter part of the song, or raise the limit (MEASURE_MEMORY_GB in docs/configuration.md)."
    ),
}

MEASURING_SENTENCES = {
    "worker_lost": _(
        "The worker stopped in the middle of the measurement, three times in a row; most often the machine ran out of "
        "memory. The stems are safe and no half figures were kept. Retry, or measure a shorter part of the song."
    ),
    "out_of_memory": _(
        "The machine ran out of memory. The stems are safe and no half figures were kept. "
        "Retry when less is running, or measure a shorter part of the song."
    ),
    "time_limit": _(
        "The measurement was not done within %(limit)s, several times what it needs, so it was stopped. The stems are "
        "safe. Retry when less is running, or measure a shorter part of the song."
    ),
    "unexpected": _(
        "Something unexpected happened during the measurement (%(error)s). The stems are safe and no half figures were "
        "kept. Retry; the server's log has the details."
    ),
}
"""Where the sentence about a separation would say the wrong thing."""

NOTES: dict[str, Text] = {
    "reference_silent": _("The true stem is silent from start to end, so nothing can be measured against it."),
    "estimate_silent": _(
        "The system's stem is silent from start to end: BSS Eval and SI-SDR are not defined for that."
    ),
    "other_reference_silent": _(
        "Another true stem is silent from start to end; it is not among the sources that SIR and SAR look for."
    ),
    "one_reference": _("There is only one true stem that sounds, so there is no interference to measure."),
    "no_window": _("There is no second in which every stem sounds, so only SI-SDR is defined."),
    "windows_left_out": _("Seconds in which one of the stems is silent are not in the medians."),
    "perfect": _("Nothing differs, so the ratio is infinite; infinite seconds are not in the medians."),
    "filters_wild": _(
        "Parts of these stems' spectrum are empty, so ISR, SIR and SAR hang on rounding errors and say little here. "
        "SDR and SI-SDR are sound."
    ),
    "no_reference": _("The song has no true stem of this source."),
    "reference_summed": _("Measured against the sum of the true stems that this system does not separate."),
    "reference_wider": _(
        "The true stem also holds what this system separates apart (piano, guitar), which counts against it."
    ),
}


@dataclass(frozen=True)
class Metric:
    key: str
    name: str
    what: Text
    formula: str
    source: str


METRICS = (
    Metric(
        "sdr",
        "SDR",
        _("Signal to distortion: how close the stem is to the true one, whatever kind of difference there is."),
        "10·log₁₀( ‖s‖² / ‖e_spat + e_interf + e_artif‖² )",
        "Vincent, Gribonval, Févotte 2006; BSS Eval v4: Stöter, Liutkus, Ito 2018",
    ),
    Metric(
        "isr",
        "ISR",
        _("Image to spatial distortion: how well place and colour of the sound are kept."),
        "10·log₁₀( ‖s‖² / ‖e_spat‖² )",
        "Vincent et al. 2007",
    ),
    Metric(
        "sir",
        "SIR",
        _("Signal to interference: how little of the other sources is in it."),
        "10·log₁₀( ‖s + e_spat‖² / ‖e_interf‖² )",
        "Vincent, Gribonval, Févotte 2006",
    ),
    Metric(
        "sar",
        "SAR",
        _("Signal to artefacts: how little is in it that is in none of the sources."),
        "10·log₁₀( ‖s + e_spat + e_interf‖² / ‖e_artif‖² )",
        "Vincent, Gribonval, Févotte 2006",
    ),
    Metric(
        "si_sdr",
        "SI-SDR",
        _("Scale-invariant SDR over the whole span: no filter is forgiven, only another level."),
        "10·log₁₀( ‖α·s‖² / ‖α·s − ŝ‖² ), α = ⟨ŝ, s⟩ / ‖s‖²",
        "Le Roux, Wisdom, Erdogan, Hershey 2019",
    ),
)
