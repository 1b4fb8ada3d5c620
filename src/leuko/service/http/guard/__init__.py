"""Who comes in, and what they may do.

A router asks for a role and gets who it is:

    @routes.get("/people")
    def people(request: Request, who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> Response:
        audited(request, who, person=name, what="assessment")
"""

from leuko.service.http.guard.audited import audited
from leuko.service.http.guard.who import Who, needs
from leuko.service.roles import Role

__all__ = ["Role", "Who", "audited", "needs"]
