"""A device announces its next key: proved by the key itself, over a line that the old one has opened."""

from sqlalchemy.ext.asyncio import AsyncConnection

from kiosk_hub.fleet import lifecycle
from kiosk_hub.fleet.ids import DeviceId, Fingerprint
from kiosk_hub.fleet.news import AnyNews, DeviceTime, KeyAnnounced
from kiosk_hub.services.directory import Directory
from kiosk_hub.services.reports import AfterCommit, Handler
from kiosk_hub.store import audit
from room_manager.errors import WrongState
from signaling.kiosk.proving import check_signed_by, key_in
from signaling.wire.kiosk import proofs
from signaling.wire.kiosk.fingerprint import fingerprint_of, key_text


def takes_keys(directory: Directory) -> Handler:
    """For :meth:`Reports.handle`."""

    async def take(
        connection: AsyncConnection, device: DeviceId, at: DeviceTime, news: AnyNews, now: float
    ) -> AfterCommit | None:
        assert isinstance(news, KeyAnnounced)
        key = key_in(news.public_key)
        change = directory.join(connection)
        record = change.get(device)
        text = proofs.rotation_text(device, key_text(record.public_key), news.public_key)
        check_signed_by(key, news.proof, text)
        fingerprint = Fingerprint(fingerprint_of(key))
        if directory.by_key(fingerprint) is not None:
            raise WrongState("this key is a device's already")
        await change.put(lifecycle.announce_key(record, key))
        await change.note(
            audit.Entry(
                "announce-key", device=device, values={"before": record.fingerprint, "after": fingerprint}
            )
        )
        return lambda: directory.follow(change)

    return take
