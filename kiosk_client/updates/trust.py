"""Which bundles the city has signed: The Update Framework's client, with our HTTP and the city's clock.

The first root of trust is fetched over the line the device was let in by (or put in place by whoever installs
the device) and kept; from then on only roots signed by it and its heirs count (TUF specification 1.0.34,
section 5.3). All of this waits for disk and line: call it in a thread.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx
import msgspec
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, TargetFile
from tuf.ngclient import FetcherInterface, Updater
from tuf.ngclient.config import UpdaterConfig

from kiosk_client.updates import files
from kiosk_client.updates.errors import Doubtful, Later, Unfit
from signaling.wire.kiosk.bundles import ROOT, Custom, misfit, target_of
from signaling.wire.kiosk.words import Offer

MAX_ROOT_BYTES: Final = 100_000
ANSWER_WITHIN_S: Final = 20.0
PATH: Final = "/api/kiosk/targets"

log = logging.getLogger(__name__)


class CityFetcher(FetcherInterface):
    """Metadata over the agent's own credentials."""

    def __init__(self, client: httpx.Client, token: Callable[[], str | None]) -> None:
        self._client = client
        self._token = token

    def _fetch(self, url: str) -> Iterator[bytes]:
        token = self._token()
        if token is None:
            raise exceptions.DownloadError("no token")
        path = unquote(urlsplit(url).path)
        with self._client.stream("GET", path, headers={"Authorization": f"Bearer {token}"}) as answer:
            if answer.status_code != 200:
                raise exceptions.DownloadHTTPError(f"answered {answer.status_code}", answer.status_code)
            yield from answer.iter_raw(65_536)


class Trust:
    """The metadata this device believes, in its folder."""

    def __init__(
        self, folder: Path, server: str, client: httpx.Client, token: Callable[[], str | None]
    ) -> None:
        self._folder = folder
        self._server = server
        self._fetcher = CityFetcher(client, token)
        self._root = folder / "first-root.json"

    def target_of(self, offer: Offer, city_now: float, agent: str, hardware: str) -> TargetFile:
        """What the city has signed for this offer, with length and hash.

        Args:
            city_now: Seconds, UTC. Whether signatures have ended is judged by the city's clock as it is held
                on this device: a kiosk without a clock battery may think it is 1970, or be made to.

        Raises:
            Later: The line is cut. Doubtful: a signature is wrong, old or mixed. Unfit: not for this device.
        """
        try:
            info = self._look_up(target_of(offer.kind, offer.version), city_now)
        except exceptions.DownloadError as error:
            raise Later(f"metadata: {error}") from None
        except exceptions.ExpiredMetadataError as error:
            raise Doubtful("expired-metadata", f"Chữ ký đã hết hạn: {error}") from None
        except exceptions.UnsignedMetadataError as error:
            raise Doubtful("bad-signature", f"Chữ ký không đúng: {error}") from None
        except exceptions.RepositoryError as error:
            raise Doubtful("bad-metadata", f"Dữ liệu chữ ký không khớp: {error}") from None
        if info is None:
            raise Doubtful("unknown-target", "Gói này không có trong danh mục đã ký")
        try:
            custom = msgspec.convert(info.unrecognized_fields.get("custom"), type=Custom)
        except msgspec.ValidationError:
            raise Unfit("bad-metadata", "Danh mục đã ký không nói rõ đây là gói gì") from None
        if (custom.kind, custom.version) != (offer.kind, offer.version):
            raise Unfit("wrong-target", "Danh mục đã ký nói đây là một gói khác")
        code = misfit(custom.needs, agent, hardware)
        if code is not None:
            raise Unfit(code, "Gói không dành cho thiết bị này")
        return info

    def _look_up(self, target: str, city_now: float) -> TargetFile | None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with files.disk_errors():
            if not self._root.exists():
                self._take_first_root()
            config = UpdaterConfig(root_max_length=MAX_ROOT_BYTES)
            updater = Updater(
                str(self._folder),
                f"{self._server}{PATH}/metadata/",
                fetcher=self._fetcher,
                config=config,
                bootstrap=self._root.read_bytes(),
            )
            # The library asks the machine's clock and lets nobody tell it better.
            updater._trusted_set.reference_time = dt.datetime.fromtimestamp(city_now, dt.UTC)
            return updater.get_targetinfo(target)

    def _take_first_root(self) -> None:
        data = self._fetcher.download_bytes(f"{self._server}{PATH}/metadata/{ROOT}", MAX_ROOT_BYTES)
        root: Metadata[Root] = Metadata.from_bytes(data)
        root.verify_delegate(Root.type, root)
        files.write(self._root, data)
        log.info("= first root of trust: version %d, keys %s", root.signed.version, sorted(root.signed.keys))
