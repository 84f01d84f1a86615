"""An updater for what is never updated by us: a bridge point's PC, whose software is its owner's affair."""

from kiosk_client.ports import Core
from signaling.wire.kiosk.words import Offer, Outcome


class NoUpdates:
    """Leaves offers alone."""

    async def start(self, core: Core) -> None:
        pass

    async def close(self) -> None:
        pass

    def offered(self, offer: Offer | None) -> None:
        pass

    def welcomed(self) -> None:
        pass

    def content(self) -> str:
        return ""

    def configuration(self) -> str:
        return ""

    async def refresh(self) -> Outcome:
        return Outcome(succeeded=False, code="no-updates", text="Thiết bị này không nhận nội dung")
