#!/usr/bin/env python3
"""Sends a message with smtplib: send.py HOST PORT SENDER MESSAGE RECIPIENT... [--tls CA] [--login USER PASSWORD] [--lmtp]"""

import argparse
import contextlib
import smtplib
import ssl
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("sender")
    parser.add_argument("message")
    parser.add_argument("recipients", nargs="+")
    parser.add_argument("--tls")
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--lmtp", action="store_true")
    options = parser.parse_args()
    try:
        refused = send(options)
    except smtplib.SMTPRecipientsRefused as error:
        return status(error.recipients.values())
    except smtplib.SMTPResponseException as error:
        return status([(error.smtp_code, error.smtp_error)])
    except (smtplib.SMTPException, OSError, ValueError) as error:
        print(type(error).__name__, error, file=sys.stderr)
        return 1
    print("accepted, but for", refused) if refused else print("accepted")
    return 70 if refused else 0


def send(options):
    with open(options.message, "rb") as file:
        message = file.read()
    if options.lmtp:
        client = smtplib.LMTP(options.host, options.port, timeout=8)
    else:
        client = smtplib.SMTP(options.host, options.port, timeout=8)
    try:
        if options.tls:
            client.starttls(context=ssl.create_default_context(cafile=options.tls))
        if options.login:
            client.login(*options.login)
        addresses = [options.sender, *options.recipients]
        utf8 = ["SMTPUTF8"] if not all(address.isascii() for address in addresses) else []
        return client.sendmail(options.sender, options.recipients, message, mail_options=utf8)
    finally:
        # sendmail() has said what became of the message. The end of a "with" block would raise an error for QUIT.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            client.quit()


def status(replies):
    """Returns what the codes say: temporary if a recipient is only deferred."""
    print(*replies, file=sys.stderr)
    classes = {code // 100 for code, _ in replies}
    if 4 in classes:
        return 75
    return 69 if classes == {5} else 1


if __name__ == "__main__":
    sys.exit(main())
