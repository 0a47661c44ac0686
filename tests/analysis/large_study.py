"""Fills the service of `STEMMOS_HOME` for a test: `python -m tests.analysis.large_study fill`, then `… listener ID`.

`fill` makes a study that is large enough to be computed in the background, and a researcher; it prints the study's id
and the researcher's session as JSON. `listener` lets one more listener rate everything.
"""

from __future__ import annotations

import json
import os
import sys


def fill() -> dict[str, str]:
    from django.contrib.auth.models import User
    from django.test import Client

    from analysis.selectors import AT_ONCE
    from tests.analysis.factories import panel_make, study_make

    study = study_make()
    panel_make(study, listeners=-(-AT_ONCE // (2 * study.clips.count())))
    client = Client()
    client.force_login(
        User.objects.create_user("filler", is_staff=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    return {"study": str(study.id), "session": client.cookies["sessionid"].value}


def listener(study_id: str) -> dict[str, str]:
    from listening_test.models import Study
    from tests.analysis.factories import rate_all, session_make

    rate_all(session_make(Study.objects.get(id=study_id)), lambda *_of: 5)
    return {}


if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    print(json.dumps(fill() if sys.argv[1] == "fill" else listener(sys.argv[2])))
