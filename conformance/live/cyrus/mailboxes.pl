# mailboxes.pl PASSWORD: makes mailboxes that anyone may post to, over IMAP. One of them is full.

use strict;
use warnings;
use IO::Socket::UNIX;

my ($password) = @ARGV;
my $socket;
for (1 .. 100) {
    $socket = IO::Socket::UNIX->new(Peer => '/run/cyrus/socket/imap') and last;
    select undef, undef, undef, 0.1;
}
$socket or die "imapd does not answer: $!\n";
my $greeting = <$socket>;

command("LOGIN cyrus $password");
for my $user ('alice', 'postmaster', 'full') {
    command("CREATE user/$user");
    command("SETACL user/$user anyone p");
}
command('SETQUOTA user/full (STORAGE 0)');
command('LOGOUT');

sub command {
    my ($command) = @_;
    print $socket "tag $command\r\n";
    while (my $line = <$socket>) {
        next unless $line =~ /^tag /;
        return if $line =~ /^tag OK/;
        last;
    }
    die "imapd refuses: $command\n";
}
