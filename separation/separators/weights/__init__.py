"""Where the weights of each separator lie, and the checks that keep wrong ones from running.

Two kinds: `published` weights, which a person brings into one folder (`STEMMOS_WEIGHTS`, see `manage.py weights`), and
`demo` weights, which are part of the project. Both are a `WeightsSet`: files with sizes and sha256, and names and
shapes of what is inside, so both go through the same checks. Importing this loads no torch and no TensorFlow: asking
whether weights are there costs a few `stat` calls.

`files.py`      a file, a set of files, and their checks
`catalogue.py`  every published file: name, address, size, sha256
`contents.py`   what is inside a file, against `listings/`
`fetching.py`   download, `importing.py` take in from elsewhere
"""

from __future__ import annotations

from separation.separators.weights.catalogue import DEMO_FOLDERS, PUBLISHED, published_set, weights_of
from separation.separators.weights.files import (
    DEMO,
    DEMO_HOW,
    MANIFEST,
    PROJECT,
    UNPINNED,
    WeightsFile,
    WeightsSet,
    from_manifest,
    published_home,
    sha256_of,
    unpinned,
    write_manifest,
)

__all__ = [
    "DEMO",
    "DEMO_FOLDERS",
    "DEMO_HOW",
    "MANIFEST",
    "PROJECT",
    "PUBLISHED",
    "UNPINNED",
    "WeightsFile",
    "WeightsSet",
    "from_manifest",
    "published_home",
    "published_set",
    "sha256_of",
    "unpinned",
    "weights_of",
    "write_manifest",
]
