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
        deliver(options, spool)
        log, done = read_log(spool), recipients_done(spool)
    finally:
        shutil.rmtree(spool)
    print(log)
    return status(log, done, options.recipients)


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


def read_log(spool):
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


def recipients_done(spool):
    """Returns the recipients that Exim will not try again, of a message that stays in the queue: `exim -bp` puts a D before
    them."""
    queue = subprocess.run(
        ["exim4", "-C", spool / "exim.conf", "-bp"], stdout=subprocess.PIPE, text=True, errors="replace", timeout=20
    )
    return set(re.findall(r"^ +D (\S+)$", queue.stdout, re.MULTILINE))


def status(log, done, recipients):
    """Exim logs => for a delivery, == for one that is deferred, and ** for one that has failed. If a message is completed
    without any of them, or a recipient is done without one, the message is gone, and nobody is told of a failure."""
    # A bounce of the message logs that it is completed, too.
    first = re.search(r" (\S+) <= ", log)
    is_completed = first is not None and f" {first[1]} Completed" in log
    marks = dict.fromkeys(recipients if is_completed else done, "=>")
    for mark, recipient in re.findall(r" (=>|->|==|\*\*) (?:\S+ <)?([^\s>]+)", log):
        marks[recipient] = mark
    fates = {marks.get(recipient, "") for recipient in recipients}
    others = fates - {"=>", "->"}
    if not others:
        return 0
    if others < fates:
        if "" in others:
            return 72
        return 71 if "==" in others else 70
    if "==" in fates:
        return 75
    return 69 if fates == {"**"} else 1


if __name__ == "__main__":
    sys.exit(main())
