"""Serves SMTP, submission or LMTP, as its argument says, with aiosmtpd.

The replies to RCPT, DATA and AUTH come from this program. aiosmtpd 1.4.6 keeps the limits of command lines in the
class: each new connection resets them for all others, and each EHLO raises them. So what a client may send depends on
who else is connected. Here each connection has limits of its own, so that two runs find the same.
"""

import asyncio
import ssl
import sys
from collections import defaultdict
from pathlib import Path

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

PASSWORD = Path("/live/shared/alice.password").read_bytes().strip()


class Handler:
    """One mailbox of one domain; messages go nowhere."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        # RFC 5321 §4.1.1.3: postmaster needs no domain, and its letter case does not matter.
        local, _, domain = address.lower().partition("@")
        if domain not in ("", "example.test") and not session.authenticated:
            return "550 5.7.1 Relaying denied"
        if domain in ("", "example.test") and local not in ("alice", "postmaster"):
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 Message accepted for delivery"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"alice", PASSWORD)
    return AuthResult(success=known, handled=False)


def with_own_limits(server):
    server.command_size_limits = defaultdict(lambda: server.command_size_limit)
    return server


async def serve(kind):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain("/srv/certificate.pem", "/srv/key.pem")
    settings = {
        "hostname": "mx.example.test",
        "data_size_limit": 100000,
        "enable_SMTPUTF8": True,
        "timeout": 9,
        "tls_context": tls,
        "authenticator": authenticate,
    }
    port, protocol = {
        "smtp": (25601, lambda: SMTP(Handler(), auth_require_tls=False, **settings)),
        "submission": (25602, lambda: SMTP(Handler(), require_starttls=True, auth_required=True, **settings)),
        "lmtp": (25603, lambda: LMTP(Handler(), auth_require_tls=False, **settings)),
    }[kind]
    await asyncio.get_running_loop().create_server(lambda: with_own_limits(protocol()), "127.0.0.1", port)
    await asyncio.Event().wait()


asyncio.run(serve(sys.argv[1]))
