#!/usr/bin/env python3
"""Hands a message to Postfix, and says what became of it:

send.py HOST PORT SENDER MESSAGE RECIPIENT... [--tls CA] [--login USER PASSWORD] [--lmtp]

Each message has an instance of Postfix of its own, without servers of its own. It has to run as root."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

MAIN = """
compatibility_level = 3.6
myhostname = client.example.net
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
queue_directory = {spool}/queue
data_directory = {spool}/data
maillog_file = {spool}/log
maillog_file_prefixes = {spool}
smtp_dns_support_level = disabled
smtp_host_lookup = native
lmtp_host_lookup = native
# Bounces go nowhere.
transport_maps = inline:{{ {{ example.net = discard:bounce }} }}
"""

# Time-outs of 8 seconds, as short as those of other clients.
TIMEOUTS = ["connect", "helo", "mail", "rcpt", "data_init", "data_xfer", "data_done", "quit", "rset", "starttls"]

MASTER = """
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port")
    parser.add_argument("sender")
    parser.add_argument("message")
    parser.add_argument("recipients", nargs="+")
    parser.add_argument("--tls")
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--lmtp", action="store_true")
    options = parser.parse_args()
    spool = pathlib.Path(tempfile.mkdtemp())
    spool.chmod(0o755)
    configuration = spool / "etc"
    try:
        configure(options, spool, configuration)
        subprocess.run(["postfix", "-c", configuration, "start"], capture_output=True, check=True)
        try:
            send(options, configuration)
            fates = wait(options.recipients, spool / "log")
        finally:
            subprocess.run(["postfix", "-c", configuration, "stop"], capture_output=True)
        print((spool / "log").read_text(errors="replace"))
    finally:
        shutil.rmtree(spool, ignore_errors=True)
    return status(fates, len(set(options.recipients)))


def configure(options, spool, configuration):
    configuration.mkdir()
    (spool / "queue").mkdir()
    (spool / "data").mkdir()
    shutil.chown(spool / "data", "postfix")
    protocol = "lmtp" if options.lmtp else "smtp"
    hop = f"[{options.host}]:{options.port}"
    lines = [f"{protocol}_{name}_timeout = 8s" for name in TIMEOUTS]
    lines.append(f"default_transport = {protocol}:{'inet:' if options.lmtp else ''}{hop}")
    if options.tls:
        lines.append("smtp_tls_security_level = verify")
        lines.append("smtp_tls_verify_cert_match = mx.example.org")
        lines.append(f"smtp_tls_CAfile = {options.tls}")
    if options.login:
        user, password = options.login
        lines.append("smtp_sasl_auth_enable = yes")
        lines.append("smtp_sasl_security_options = noanonymous")
        lines.append(f"smtp_sasl_password_maps = inline:{{ {{ {hop} = {user}:{password} }} }}")
    (configuration / "main.cf").write_text(MAIN.format(spool=spool) + "\n".join(lines) + "\n")
    (configuration / "master.cf").write_text(MASTER)


def send(options, configuration):
    with open(options.message, "rb") as message:
        subprocess.run(
            ["sendmail", "-C", configuration, "-i", "-f", options.sender, "--", *options.recipients],
            stdin=message,
            timeout=20,
            check=True,
        )


def wait(recipients, log):
    """Returns what the log says of each recipient. Postfix logs it once the delivery has ended."""
    end = time.monotonic() + 40
    fates = {}
    while time.monotonic() < end and not set(recipients) <= fates.keys():
        time.sleep(0.05)
        text = log.read_text(errors="replace") if log.exists() else ""
        fates = dict(re.findall(r" to=<([^>]+)>,.* status=(\w+)", text))
        if is_removed(text):
            break
    return {recipient: fates[recipient] for recipient in recipients if recipient in fates}


def is_removed(text):
    """Returns whether the message has left the queue, not only a bounce of it."""
    first = re.search(r"pickup\[\d+\]: (\w+):", text)
    return first is not None and f"{first[1]}: removed" in text


def status(fates, count):
    all_fates = set(fates.values()) | ({"unknown"} if len(fates) < count else set())
    if all_fates == {"sent"}:
        return 0
    if "sent" in all_fates:
        if "unknown" in all_fates:
            return 72
        return 71 if "deferred" in all_fates else 70
    if "deferred" in all_fates:
        return 75
    return 69 if all_fates == {"bounced"} else 1


if __name__ == "__main__":
    sys.exit(main())
