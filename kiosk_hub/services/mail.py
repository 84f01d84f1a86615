"""Notices by e-mail, over the city's own mail server."""

import asyncio
import ssl
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from typing import Final, Literal

import aiosmtplib
from msgspec import Struct

from kiosk_hub.fleet.letters import html_of, text_of
from kiosk_hub.fleet.notice import Notice
from kiosk_hub.fleet.notices import Route
from kiosk_hub.services.channels import Refused, Undelivered

CONNECT_LIMIT_S: Final = 15.0
SEND_LIMIT_S: Final = 45.0  # of one message, all of it


class MailServer(Struct, frozen=True):
    """Where mail is handed in. The password is in a file of its own and in no setting."""

    host: str = ""  # empty: there is none, and e-mail cannot be sent
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: Path | None = None
    sender: str = ""  # "Điểm Cầu <thongbao@example.gov.vn>" or the address alone
    ca_file: Path | None = None  # of the mail server's certificate, if it is the city's own


class MailChannel:
    """One connection for each message: there are few, and a connection that is kept dies unnoticed."""

    def __init__(self, server: MailServer, limit_s: float = SEND_LIMIT_S) -> None:
        self._server = server
        self._limit_s = limit_s

    @property
    def is_set_up(self) -> bool:
        return bool(self._server.host)

    async def send(self, notice: Notice, route: Route, secret: bytes) -> None:
        server = self._server
        if not server.host:
            raise Undelivered("no-mail-server", "no mail server is set up")
        message = message_of(notice, server.sender)
        try:
            async with asyncio.timeout(self._limit_s):
                await aiosmtplib.send(
                    message,
                    recipients=[notice.to],
                    hostname=server.host,
                    port=server.port,
                    username=server.user or None,
                    password=_password(server),
                    use_tls=server.security == "tls",
                    start_tls=server.security == "starttls",
                    tls_context=_context(server),
                    timeout=min(CONNECT_LIMIT_S, self._limit_s),
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _answered(error.recipients[0].code, error.recipients[0].message) from None
        except aiosmtplib.SMTPAuthenticationError as error:
            # The password is staff's to mend; what waits goes out then.
            raise Undelivered("mail-login", f"{error.code} {error.message}") from None
        except aiosmtplib.SMTPResponseException as error:
            raise _answered(error.code, error.message) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise Undelivered("mail-server", _words(error)) from None


def message_of(notice: Notice, sender: str) -> Message:
    """Text and a page. ``Message-ID`` is the notice's key, so that who gets it twice can see that; all
    letters of one incident are one thread.

    Made with the older of Python's two ways: the newer loses a blank where it folds a long subject that
    is not ASCII (CPython 3.11), and that is every subject here.
    """
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2] or "diemcau.invalid"
    message = MIMEMultipart("alternative")
    message["Subject"] = Header(notice.letter.subject, "utf-8", header_name="Subject").encode()
    message["From"] = formataddr((name or "Điểm Cầu", address))
    message["To"] = notice.to
    message["Date"] = format_datetime(notice.made_at)
    message["Message-ID"] = f"<{notice.id}@{domain}>"
    if notice.incident is not None:
        message["References"] = f"<{notice.incident}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5: no out-of-office answers
    message["X-Diemcau-Notice"] = notice.id
    message.attach(MIMEText(text_of(notice.letter), "plain", "utf-8"))
    message.attach(MIMEText(html_of(notice.letter), "html", "utf-8"))
    return message


def _answered(code: int, text: str) -> Undelivered:
    """RFC 5321, section 4.2.1: 4xx is for now (greylisting is 450 or 451), 5xx for good."""
    words = f"{code} {' '.join(text.split())}"[:300]
    return Refused("mail-refused", words) if code >= 500 else Undelivered("mail-later", words)


def _words(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


def _password(server: MailServer) -> str | None:
    """Read each time: a new password needs no restart."""
    if server.password_file is None:
        return None
    try:
        return server.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise Undelivered("mail-login", f"the password file cannot be read: {error.strerror}") from None


def _context(server: MailServer) -> ssl.SSLContext | None:
    if server.security == "none":
        return None
    return ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file is not None else None)
