#!/usr/bin/env python3
"""Hands a message to Exim, and says what became of it:

send.py HOST PORT SENDER MESSAGE RECIPIENT... [--tls CA] [--login USER PASSWORD] [--lmtp]

Exim has a spool and a configuration of its own for each message. It has to run as root."""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CONFIGURATION = """
primary_hostname = client.example.net
spool_directory = {spool}
log_file_path = {spool}/%slog
log_selector = -all
disable_ipv6
tls_advertise_hosts =
keep_environment =
local_from_check = false
allow_utf8_domains

begin routers

# Bounces go nowhere.
bounce:
  driver = redirect
  senders = :
  data = :blackhole:

server:
  driver = manualroute
  transport = server
  route_list = * {host} byname
  self = send

begin transports

server:
  driver = smtp
  protocol = {protocol}
  port = {port}
  connect_timeout = 8s
  command_timeout = 8s
  data_timeout = 8s
  final_timeout = 8s
  {options}

begin retry

* * F,1h,10m

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^{user}^{password}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port")
    parser.add_argument("sender")
    parser.add_argument("message")
    parser.add_argument("recipients", nargs="+")
    parser.add_argument("--tls")
    parser.add_argument("--login", nargs=2, default=("", ""))
    parser.add_argument("--lmtp", action="store_true")
    options = parser.parse_args()
    spool = pathlib.Path(tempfile.mkdtemp())
    try:
        log = deliver(options, spool)
    finally:
        shutil.rmtree(spool)
    print(log)
    return status(log, options.recipients)


def deliver(options, spool):
    shutil.chown(spool, "Debian-exim", "Debian-exim")
    spool.chmod(0o755)
    configuration = spool / "exim.conf"
    configuration.write_text(
        CONFIGURATION.format(
            spool=spool,
            host=options.host,
            port=options.port,
            protocol="lmtp" if options.lmtp else "smtp",
            options="\n  ".join(transport_options(options, spool)),
            user=options.login[0],
            password=options.login[1],
        )
    )
    with open(options.message, "rb") as message:
        subprocess.run(
            ["exim4", "-C", configuration, "-odi", "-oi", "-f", options.sender, "--", *options.recipients],
            stdin=message,
            timeout=60,
        )
    log = spool / "mainlog"
    return log.read_text(errors="replace") if log.exists() else ""


def transport_options(options, spool):
    if options.tls:
        ca = spool / "ca.pem"
        shutil.copyfile(options.tls, ca)
        yield "hosts_require_tls = *"
        yield f"tls_verify_certificates = {ca}"
        yield "tls_verify_hosts = *"
    if options.login[0]:
        yield "hosts_require_auth = *"


def status(log, recipients):
    """Exim logs => for a delivery, == for one that is deferred, and ** for one that has failed. A message that is
    completed without any of them is gone, and nobody is told of a failure."""
    marks = {}
    for mark, recipient in re.findall(r" (=>|->|==|\*\*) (?:\S+ <)?([^\s>]+)", log):
        marks[recipient] = mark
    completed = "Completed" in log
    fates = {marks.get(recipient, "=>" if completed else "") for recipient in recipients}
    delivered = fates & {"=>", "->"}
    if fates <= {"=>", "->"}:
        return 0
    if delivered:
        return 70
    if "==" in fates:
        return 75
    return 69 if fates == {"**"} else 1


if __name__ == "__main__":
    sys.exit(main())
