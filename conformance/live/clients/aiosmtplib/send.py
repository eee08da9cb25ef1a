#!/usr/bin/env python3
"""Sends a message with aiosmtplib: send.py HOST PORT SENDER MESSAGE RECIPIENT... [--tls CA] [--login USER PASSWORD]"""

import argparse
import asyncio
import sys

import aiosmtplib


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("sender")
    parser.add_argument("message")
    parser.add_argument("recipients", nargs="+")
    parser.add_argument("--tls")
    parser.add_argument("--login", nargs=2, default=(None, None))
    options = parser.parse_args()
    try:
        refused, answer = asyncio.run(send(options))
    except aiosmtplib.SMTPRecipientsRefused as error:
        return status(error.recipients)
    except aiosmtplib.SMTPResponseException as error:
        return status([error])
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        print(type(error).__name__, error, file=sys.stderr)
        return 1
    print(answer, "but for", refused) if refused else print(answer)
    return 70 if refused else 0


async def send(options):
    with open(options.message, "rb") as file:
        message = file.read()
    user, password = options.login
    return await aiosmtplib.send(
        message,
        sender=options.sender,
        recipients=options.recipients,
        hostname=options.host,
        port=options.port,
        username=user,
        password=password,
        start_tls=bool(options.tls),
        cert_bundle=options.tls,
        timeout=4,
    )


def status(errors):
    """Returns what the codes say: temporary if a recipient is only deferred."""
    print(*errors, file=sys.stderr)
    classes = {error.code // 100 for error in errors}
    if 4 in classes:
        return 75
    return 69 if classes == {5} else 1


if __name__ == "__main__":
    sys.exit(main())
