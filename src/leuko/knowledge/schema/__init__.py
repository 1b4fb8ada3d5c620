"""The shape of the knowledge files. Code holds no clinical number: it reads them from here.

`core` holds what counts, grades and intervals need. Every other module of this package describes further tables: it
lists its row types in `KINDS`, and each row type names its folder below `leuko/data` (`FOLDER`) and its key in the
files (`KEY`). `Library.rows(kind)` reads them when they are first asked for.
"""

from __future__ import annotations

from leuko.knowledge.schema.core import (
    DRIVING as DRIVING,
)
from leuko.knowledge.schema.core import (
    Ages as Ages,
)
from leuko.knowledge.schema.core import (
    Analyte as Analyte,
)
from leuko.knowledge.schema.core import (
    Band as Band,
)
from leuko.knowledge.schema.core import (
    Basis as Basis,
)
from leuko.knowledge.schema.core import (
    CodeRow as CodeRow,
)
from leuko.knowledge.schema.core import (
    Confidence as Confidence,
)
from leuko.knowledge.schema.core import (
    CourseRules as CourseRules,
)
from leuko.knowledge.schema.core import (
    DefinitionRow as DefinitionRow,
)
from leuko.knowledge.schema.core import (
    GradeBand as GradeBand,
)
from leuko.knowledge.schema.core import (
    GradeRule as GradeRule,
)
from leuko.knowledge.schema.core import (
    GradeScheme as GradeScheme,
)
from leuko.knowledge.schema.core import (
    IntervalRow as IntervalRow,
)
from leuko.knowledge.schema.core import (
    Limit as Limit,
)
from leuko.knowledge.schema.core import (
    NoticeEntry as NoticeEntry,
)
from leuko.knowledge.schema.core import (
    Pregnancy as Pregnancy,
)
from leuko.knowledge.schema.core import (
    Quantity as Quantity,
)
from leuko.knowledge.schema.core import (
    Row as Row,
)
from leuko.knowledge.schema.core import (
    Source as Source,
)
