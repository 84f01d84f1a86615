"""Who asks something of a meeting."""

from msgspec import Struct

from room_manager.ids import HOST, SiteId
from room_manager.meeting.values import Role


class Member(Struct, frozen=True):
    """Who asks: a role, and for a site (or the chair at the host site) which one."""

    role: Role
    site: SiteId | None = None
    name: str = ""

    def own_site(self) -> SiteId | None:
        """The site this member is in. The chair, and only the chair, is in the host site."""
        if self.role is Role.CHAIR:
            return HOST if self.site == HOST else None
        return self.site if self.role is Role.SITE and self.site != HOST else None
