"""Sends messages by e-mail, through Django's mail settings."""

from __future__ import annotations

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.urls import reverse

from notifications.models import Delivery
from notifications.outcomes import NotDelivered
from notifications.wording import Words

_NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"


def is_set_up() -> bool:
    """Whether this installation has a mail server at all."""
    return bool(settings.EMAIL_BACKEND != _NO_MAIL)


class MailBag:
    """E-mails of one round over one connection, opened with the first and closed at the end."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, delivery: Delivery, words: Words) -> None:
        """Send a message to a person of the portal. Raises NotDelivered."""
        if delivery.recipient is None or not delivery.recipient.email:
            raise NotDelivered("There is no e-mail address to send to.", is_final=True)
        self.post(_email(delivery, words, to=delivery.recipient.email))

    def post(self, email: EmailMessage) -> None:
        """Send any e-mail. Raises NotDelivered; for the server as a whole when it cannot be talked to."""
        if not is_set_up():
            raise NotDelivered("No mail server is set up: set EMAIL_URL.", is_final=True)
        email.connection = self._open()
        try:
            email.send()
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(next(iter(error.recipients.values()))[0], "receiver") from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, "message") from error
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise NotDelivered(
                f"The mail server broke the connection off ({type(error).__name__}).", is_everywhere=True
            ) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> BaseEmailBackend:
        if self._connection is None:
            connection = get_connection()
            try:
                connection.open()
            except smtplib.SMTPAuthenticationError as error:
                raise NotDelivered("The mail server refused our password.", is_everywhere=True) from error
            except (OSError, smtplib.SMTPException) as error:
                reason = f"The mail server could not be reached ({type(error).__name__})."
                raise NotDelivered(reason, is_everywhere=True) from error
            self._connection = connection
        return self._connection


def _email(delivery: Delivery, words: Words, *, to: str) -> EmailMultiAlternatives:
    host = urlsplit(settings.PORTAL_URL).hostname
    choices = settings.PORTAL_URL + reverse("notifications:preferences")
    email = EmailMultiAlternatives(
        subject=words.subject,
        body=f"{words.text}\n\n-- \nWhat you are told, and when: {choices}\n",
        to=[to],
        headers={
            # The same at every try, so that a mail program can tell a message that came twice.
            "Message-ID": f"<delivery-{delivery.pk}@{host}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    if delivery.calendar:
        # As an alternative of the text, mail programs offer to accept it; as an attachment, to save it.
        email.attach_alternative(delivery.calendar, f"text/calendar; method={delivery.calendar_method}")
    return email


def _refused(code: int, what: str) -> NotDelivered:
    """5xx is the server's last word, 4xx asks to come again."""
    return NotDelivered(f"The mail server refused the {what} (code {code}).", is_final=code >= 500)
