"""What README.txt of a results package says. Pure."""

from __future__ import annotations

from analysis.tidy import LeftOut

TEXT = """\
Results package of “{name}”
{line}

{stored} ratings are stored, {counted} of them are in the numbers; {not_final} are not final, {simulated} are of
simulated listeners, {repeats} are repeats, which tell of the listeners and are in no mean.
State of the data: {version}

ratings.csv      every stored rating, one line each: what the analysis was made from
known.csv        what is known of the listeners beside their ratings: attention checks, time, equipment
design.json      the study's design as it was frozen when it opened, with its digest then and now (sha256 of the design
                 as canonical JSON); the options, the rule that flags listeners, and the seeds of the analysis
versions.json    what computed it
exclusions.csv   what is not in the numbers, and why; whom the rule flags (they are in the numbers: results.json has
                 those without them beside)
systems.csv, pairs.csv, groups.csv, clips.csv, listeners.csv, reliability.csv, variance.csv
                 the numbers as tables
results.json     all of them as one object; a JSON Schema of it belongs to the software
methods.txt      a paragraph for a paper
digest.txt       sha256 of each file (sha256sum --check digest.txt), and of all of them

The same tables, byte for byte:
    manage.py analyse PACKAGE.zip --out FOLDER

Trial runs of the researchers, practice, and answers that an attention check has asked for are no ratings: they are not
in here. Text that a spreadsheet would run as a formula has an apostrophe in front of it; reading takes it away again.
"""


def readme(name: str, counts: LeftOut, version: str) -> bytes:
    title = f"Results package of “{name}”"
    text = TEXT.format(
        name=" ".join(name.split()),
        line="=" * len(title),
        stored=f"{counts.stored:,}",
        counted=f"{counts.counted:,}",
        not_final=f"{counts.not_final:,}",
        simulated=f"{counts.simulated:,}",
        repeats=f"{counts.repeats:,}",
        version=version or "unknown",
    )
    return text.encode()
