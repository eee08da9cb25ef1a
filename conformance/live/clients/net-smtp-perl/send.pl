#!/usr/bin/perl
# Sends a message with Net::SMTP:
# send.pl HOST PORT SENDER MESSAGE CA USER PASSWORD RECIPIENT... (CA and USER are "-" where they are not to be used)
use strict;
use warnings;
use Net::SMTP;

my ($host, $port, $sender, $file, $ca, $user, $password, @recipients) = @ARGV;
open my $message, '<:raw', $file or die "$file: $!";

my $smtp = Net::SMTP->new($host, Port => $port, Timeout => 8) or failed($@);
if ($ca ne '-') {
    $smtp->starttls(SSL_ca_file => $ca) or failed($smtp);
}
if ($user ne '-') {
    $smtp->auth($user, $password) or failed($smtp);
}
$smtp->mail($sender) or failed($smtp);
my @accepted = $smtp->recipient(@recipients, { SkipBad => 1 });
failed($smtp) unless @accepted;
$smtp->data(join '', <$message>) or failed($smtp);
$smtp->quit;
print 'accepted for ', scalar @accepted, "\n";
exit(@accepted == @recipients ? 0 : 70);

# Exits with what the last reply code says. 599 is Net::Cmd's own code, for a connection that is lost.
sub failed {
    my ($smtp) = @_;
    my ($code, $text) = ref $smtp ? ($smtp->code, scalar $smtp->message) : ('', $smtp);
    print STDERR "$code $text";
    exit($code eq '599' ? 1 : { 4 => 75, 5 => 69 }->{ substr $code, 0, 1 } // 1);
}
