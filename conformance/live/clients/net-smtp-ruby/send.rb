#!/usr/bin/env ruby
# Sends a message with net-smtp:
# send.rb HOST PORT SENDER MESSAGE CA USER PASSWORD RECIPIENT... (CA and USER are "-" where they are not to be used)
require 'net/smtp'

host, port, sender, file, ca, user, password, *recipients = ARGV

begin
  smtp = Net::SMTP.new(host, port.to_i, starttls: ca == '-' ? false : :always, tls_verify: true)
  smtp.open_timeout = smtp.read_timeout = 8
  unless ca == '-'
    context = Net::SMTP.default_ssl_context
    context.ca_file = ca
    smtp.enable_starttls(context)
  end
  login = user == '-' ? {} : { user: user, secret: password, authtype: :plain }
  # With a block, as its documentation shows, start raises an error for QUIT as well.
  smtp.start(**login) do |session|
    session.send_message(File.binread(file), sender, *recipients)
  end
rescue Net::SMTPServerBusy => error
  warn "#{error.class} #{error.message}"
  exit 75
rescue Net::SMTPFatalError, Net::SMTPSyntaxError => error
  warn "#{error.class} #{error.message}"
  exit 69
rescue StandardError => error
  warn "#{error.class} #{error.message}"
  # An error of authentication may be of either class, and says so in its reply.
  status = error.response.status[0] if error.respond_to?(:response) && error.response
  exit({ '4' => 75, '5' => 69 }.fetch(status, 1))
end
