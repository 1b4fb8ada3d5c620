"""Under which settings of the site an assessment was made."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the digest of the settings; what was made before was made under none."""
    op.add_column("assessment", sa.Column("site_digest", sa.String(length=64), nullable=False, server_default=""))
