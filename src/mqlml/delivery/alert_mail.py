"""Alerts by e-mail: plain text over SMTP, encrypted unless the config says otherwise."""

import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from mqlml.delivery.alerts import Alert, Taken, headline, message
from mqlml.monitoring.alert_settings import MailSettings
from mqlml.timeline import MICROS_PER_SECOND

# From this code on an answer is the server's last word.
_FINAL = 500


@dataclass(frozen=True)
class Mail:
    """The way to a mail server; user and password are never quoted."""

    settings: MailSettings
    timeout_s: float
    user: str | None = None
    password: str | None = None

    def send(self, alert: Alert) -> Taken:
        """Send the alert to everybody at once; its `Message-ID` is made of its key."""
        try:
            with self._connection() as server:
                if self.settings.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user is not None:
                    server.login(self.user, self.password or "")
                refused = server.send_message(written(alert, self.settings))
        except smtplib.SMTPResponseException as error:
            # Its text may quote addresses, so only the code is told.
            code = error.smtp_code
            return Taken(ok=False, why=f"SMTP {code}", again=code < _FINAL)
        except smtplib.SMTPRecipientsRefused as error:
            # A code below 500 means later, as servers say to whom they do not know yet.
            again = any(code < _FINAL for code, _ in error.recipients.values())
            return Taken(ok=False, why="every address was refused", again=again)
        except (smtplib.SMTPException, OSError) as error:
            return Taken(ok=False, why=f"no answer ({type(error).__name__})")
        # Sent again, those who have it would get it twice: who was refused is told of instead.
        few = f"{len(refused)} of {len(self.settings.to)} addresses were refused" if refused else ""
        return Taken(ok=True, why=few)

    def _connection(self) -> smtplib.SMTP:
        host, port = self.settings.host, self.settings.port
        if self.settings.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(host, port, timeout=self.timeout_s)


def written(alert: Alert, settings: MailSettings) -> EmailMessage:
    """Return the alert as a mail; the same alert is the same mail, byte for byte.

    Its date is the look's, since a look reads no clock.
    """
    mail = EmailMessage()
    mail["Subject"] = f"[mqlml] {headline(alert)}"
    mail["From"] = Address(addr_spec=settings.sender)
    mail["To"] = ", ".join(settings.to)
    at = datetime.fromtimestamp(alert.as_of // MICROS_PER_SECOND, tz=UTC)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{alert.key}@{settings.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message(alert))
    return mail
