"""Links by which a site enters: made here, for REST and for the command line alike."""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from room_manager.errors import Invalid
from room_manager.ids import HOST, RoomId, SiteId
from room_manager.meeting.values import Device, LinkKind, Role
from room_manager.store.links import Link, LinkStore
from room_manager.store.secrets import SecretStore
from signaling.tokens import LinkClaims, LinkSigner, ResumeSigner, new_key

MIN_TTL_S: Final = 60.0
MAX_TTL_S: Final = 31 * 86_400.0


class LinkFor(Struct, frozen=True):
    """Whom a link is for. A chair's is for the host site; a site's names the site.

    An encoder (WHIP) stands for a site as its device does, so its link is a site's or the chair's. A player
    (WHEP) is an observer; its link may name the site whose screen it is.
    """

    role: Role
    site: SiteId | None = None
    device: Device | None = None
    kind: LinkKind = LinkKind.PAGE


class LinkMaker:
    """Signs links and records that they exist, so that they can be listed and revoked."""

    def __init__(self, store: LinkStore, signer: LinkSigner, clock: Callable[[], float]) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock

    async def make(self, meeting: RoomId, whom: LinkFor, ttl_s: float, by: str) -> tuple[Link, str]:
        """The link and its token. Raises ``Invalid``."""
        return (await self.make_all(meeting, [whom], ttl_s, by))[0]

    async def make_all(
        self, meeting: RoomId, whom: Sequence[LinkFor], ttl_s: float, by: str
    ) -> list[tuple[Link, str]]:
        """Several at once, in one transaction; in the order given. Raises ``Invalid``."""
        if not MIN_TTL_S <= ttl_s <= MAX_TTL_S:
            raise Invalid(f"ttl_s: from {MIN_TTL_S:.0f} to {MAX_TTL_S:.0f} seconds")
        now = self._clock()
        made = [self._one(meeting, one, now, now + ttl_s, by) for one in whom]
        await self._store.add_all([link for link, _ in made])
        return made

    def _one(self, meeting: RoomId, whom: LinkFor, now: float, exp: float, by: str) -> tuple[Link, str]:
        site = HOST if whom.role is Role.CHAIR else whom.site
        _check_fits(whom, site)
        device = (whom.device or Device.PRIMARY) if whom.role in (Role.SITE, Role.CHAIR) else None
        link = Link(
            id=secrets.token_urlsafe(9),
            room=meeting,
            role=whom.role,
            site=site,
            device=device,
            created_by=by,
            created_at=datetime.fromtimestamp(now, UTC),
            expires_at=datetime.fromtimestamp(exp, UTC),
            kind=whom.kind,
        )
        claims = LinkClaims(
            id=link.id,
            meeting=meeting,
            role=whom.role,
            site=site,
            device=device,
            kind=whom.kind,
            nbf=now,
            exp=exp,
        )
        return link, self._signer.sign(claims)


def _check_fits(whom: LinkFor, site: SiteId | None) -> None:
    if whom.kind is LinkKind.WHIP and whom.role not in (Role.SITE, Role.CHAIR):
        raise Invalid("role: an encoder stands for a site")
    if whom.kind is LinkKind.WHEP and whom.role is not Role.OBSERVER:
        raise Invalid("role: a player is an observer")
    if whom.kind is LinkKind.WHEP or whom.role is Role.CHAIR:
        return
    if (whom.role is Role.SITE) != (site is not None and site != HOST):
        raise Invalid("site: a link for a site names it, another does not")


def endpoint_url(origin: str, kind: LinkKind) -> str:
    """Where an encoder or a player asks; its token goes into the header ``Authorization: Bearer``."""
    return f"{origin}/{kind.value}"


def link_url(origin: str, meeting: RoomId, token: str) -> str:
    """The token stands in the fragment: a browser sends that to no server, so no log has it."""
    return f"{origin}/m/{meeting}#{token}"


async def signers(store: SecretStore) -> tuple[LinkSigner, ResumeSigner]:
    """The signers of this installation; their keys are made when first asked for."""
    link_key = await store.get_or_make("link-signing-key", new_key)
    resume_key = await store.get_or_make("resume-token-key", new_key)
    return LinkSigner(link_key), ResumeSigner(resume_key)
