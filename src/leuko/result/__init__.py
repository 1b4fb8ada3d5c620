"""What leuko concludes: every conclusion carries a `Reason`, every silence a `Gap`.

`core` holds counts, grades and courses; `assessment` the whole answer; each further module one part of it.
"""

from __future__ import annotations

from leuko.record import Bound as Bound
from leuko.result.assessment import Assessment as Assessment
from leuko.result.core import (
    SCHEMA_VERSION as SCHEMA_VERSION,
)
from leuko.result.core import (
    Answer as Answer,
)
from leuko.result.core import (
    Between as Between,
)
from leuko.result.core import (
    Censoring as Censoring,
)
from leuko.result.core import (
    Citation as Citation,
)
from leuko.result.core import (
    Course as Course,
)
from leuko.result.core import (
    CourseClass as CourseClass,
)
from leuko.result.core import (
    Cycle as Cycle,
)
from leuko.result.core import (
    DaysBelow as DaysBelow,
)
from leuko.result.core import (
    DefinitionMet as DefinitionMet,
)
from leuko.result.core import (
    Direction as Direction,
)
from leuko.result.core import (
    Episode as Episode,
)
from leuko.result.core import (
    Gap as Gap,
)
from leuko.result.core import (
    Grade as Grade,
)
from leuko.result.core import (
    IntervalOrigin as IntervalOrigin,
)
from leuko.result.core import (
    Lines as Lines,
)
from leuko.result.core import (
    Position as Position,
)
from leuko.result.core import (
    Reason as Reason,
)
from leuko.result.core import (
    ReferenceInterval as ReferenceInterval,
)
from leuko.result.core import (
    SetAside as SetAside,
)
from leuko.result.core import (
    Status as Status,
)
from leuko.result.core import (
    Trend as Trend,
)
