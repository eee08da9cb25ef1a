use proptest::prelude::*;

use super::{Defect, Limits, Reader, Reply, number};

fn defects(octets: &[u8]) -> Vec<Defect> {
    Reply::read(octets).defects().iter().collect()
}

#[test]
fn a_good_reply_has_no_defect() {
    for good in [
        &b"250 2.1.5 Ok\r\n"[..],
        b"220 mx.example.org ESMTP\r\n",
        b"250-mx.example.org\r\n250-SIZE 1000\r\n250 DSN\r\n",
        b"550-5.7.1 Go\r\n550 5.7.1 away\r\n",
        b"250 \r\n",
        b"550 5.7.606 x\r\n",
        b"550 no code here\r\n",
        b"550 5.7.1.4 x\r\n",
        b"250 10.0.0.1 hi\r\n",
        b"250 10.0.1 hi\r\n",
        b"450 version 1.2\r\n",
        b"550 4. 5. 6 items\r\n",
        b"354 3.5 seconds\r\n",
        b"550 they said 550 5.1.1 no\r\n",
        b"250 2.0.0-beta ready\r\n",
    ] {
        assert_eq!(defects(good), [], "{}", good.escape_ascii());
    }
}

#[test]
fn each_defect_has_its_name_and_position() {
    use Defect::*;
    for (octets, expected) in [
        (&b"25 OK\r\n"[..], &[(DigitCount, 0, 0)][..]),
        (b"99 x\r\n", &[(DigitCount, 0, 0)]),
        (b"2500 x\r\n", &[(DigitCount, 0, 0)]),
        (b"OK\r\n", &[(NoCode, 0, 0)]),
        (b"\r\n", &[(BlankLine, 0, 0)]),
        (b"150 wait\r\n", &[(FirstDigit, 0, 0)]),
        (b"999 5.1.1 x\r\n", &[(FirstDigit, 0, 0), (SecondDigit, 0, 1)]),
        (b"571 5.7.1 x\r\n", &[(SecondDigit, 0, 1)]),
        (b"250: ok\r\n", &[(Separator, 0, 3)]),
        (b"250\tok\r\n", &[(Separator, 0, 3)]),
        (b"250OK\r\n", &[(Separator, 0, 3)]),
        (b"250_ok\r\n", &[(Separator, 0, 3)]),
        (b"250\r\n", &[(BareCode, 0, 3)]),
        (b"250 OK\n", &[(BareLf, 0, 6)]),
        (b"250 a\rb\r\n", &[(BareCr, 0, 5)]),
        (b"250 a\0b\r\n", &[(Control, 0, 5)]),
        (b"250 \x1b[2J\r\n", &[(Control, 0, 4)]),
        (b"250 f\xc3\xbcr\r\n", &[(EightBit, 0, 5)]),
        (b"550-a\r\n554 b\r\n", &[(MixedCodes, 1, 0)]),
        (b"550-\r\n\r\n550 b\r\n", &[(BlankLine, 1, 0)]),
        (b"550-a\nb\r\n550 c\r\n", &[(BareLf, 0, 5)]),
        (b"550-a\r\nb\r\n550 c\r\n", &[(NoCode, 1, 0)]),
        (b"500 \"NOOP\nQUIT\" what?\r\n", &[(BareLf, 0, 9)]),
        (b"500 \"a\n\nb\nc\" what?\r\n250 Ok\r\n", &[(BareLf, 0, 6), (BareLf, 1, 0), (BareLf, 2, 1)]),
        (b"500 a\n25 b\r\n", &[(BareLf, 0, 5)]),
        (b"250-a\r\n", &[(Incomplete, 0, 5)]),
        (b"250 a", &[(Incomplete, 0, 5)]),
        (b"550 5.07.1 x\r\n", &[(LeadingZero, 0, 4)]),
        (b"550 05.7.1 x\r\n", &[(LeadingZero, 0, 4)]),
        (b"450 4.00.0 x\r\n", &[(LeadingZero, 0, 4)]),
        (b"550 5.7.1000 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"250 1.2.3 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 9.1.1 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"354 3.0.0 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 5.+7.+1 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 5.-1.0 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 5..1 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 5.7. x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 5.7 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 5. 7.1 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 #5.1.1 x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"550 (#5.1.1) x\r\n", &[(EnhancedForm, 0, 4)]),
        (b"250 X.3.6 x\r\n", &[(LetterClass, 0, 4)]),
        (b"550 5.7.1: x\r\n", &[(EnhancedNoSpace, 0, 4)]),
        (b"550 5.7.1\tx\r\n", &[(EnhancedNoSpace, 0, 4)]),
        (b"550 5.7.1\r\n", &[(EnhancedEndsLine, 0, 4)]),
        (b"250  2.1.0 ok\r\n", &[(EnhancedIndented, 0, 5)]),
        (b"550 Error 5.7.1 denied\r\n", &[(EnhancedLate, 0, 10)]),
        (b"550 denied (#5.7.1)\r\n", &[(EnhancedLate, 0, 11)]),
        (
            b"550-5.7.1 a\r\n550-5.7.2 b\r\n550 c\r\n",
            &[(MixedEnhancedCodes, 1, 4), (MixedEnhancedCodes, 2, 4)],
        ),
        (b"250-a\r\n250 2.0.0 b\r\n", &[(MixedEnhancedCodes, 1, 4)]),
        (b"250-2.0.0 a\r\n250\r\n", &[(BareCode, 1, 3), (MixedEnhancedCodes, 1, 3)]),
    ] {
        let found: Vec<_> = Reply::read(octets).positions().collect();
        assert_eq!(found, expected, "{}", octets.escape_ascii());
        let set: Vec<Defect> = Reply::read(octets).defects().iter().collect();
        let mut kinds: Vec<Defect> = expected.iter().map(|(defect, ..)| *defect).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(set, kinds, "{}", octets.escape_ascii());
    }
}

#[test]
fn a_line_may_have_512_octets() {
    let line = |length: usize| [b"250 ".as_slice(), &b"x".repeat(length - 6), b"\r\n"].concat();
    assert_eq!(defects(&line(512)), []);
    assert_eq!(defects(&line(513)), [Defect::LongLine]);
}

#[test]
fn the_fast_path_reads_the_same_reply() {
    for (octets, plain) in [
        (&b"250 2.1.5 Ok\r\n"[..], true),
        (b"550-5.7.1 Go\r\n550 5.7.1 away\r\n550 5.7.1 next\r\n", true),
        (b"250 Ok\r\n", false),
        (b"250 2.1.5\r\n", false),
        (b"550-5.7.1 Go\r\n550 5.7.2 away\r\n", false),
    ] {
        assert_eq!(Reply::read_plain(octets).is_some(), plain);
        assert_eq!(Reply::read_plain(octets).unwrap_or(Reply::read_any(octets)), Reply::read_any(octets));
    }
}

#[test]
fn an_endless_reply_is_cut() {
    let limits = Limits { line: 20, lines: 3, octets: 40 };
    for (octets, length) in [
        (b"250 ".iter().copied().chain(std::iter::repeat_n(b'x', 1000)).collect::<Vec<u8>>(), 20),
        (b"250-x\r\n".repeat(1000), 21),
        (b"250-xxxxxxxxxxxx\r\n".repeat(1000), 40),
    ] {
        let mut reader = Reader::new(limits);
        reader.push(&octets);
        let reply =
            reader.next().map(|reply| (reply.octets().len(), reply.defects().contains(Defect::Endless)));
        assert_eq!(reply, Some((length, true)));
        assert!(reader.next().is_none() && reader.finish().is_none() && !reader.is_waiting());
    }
}

proptest! {
    #[test]
    fn replies_do_not_depend_on_how_the_octets_arrive(
        octets in proptest::collection::vec(prop_oneof![
            4 => proptest::sample::select(b"2545.017 -\r\n\n\nxX(#):\t".to_vec()),
            1 => any::<u8>(),
        ], 0..200),
        cuts in proptest::collection::vec(0_usize..200, 0..8),
    ) {
        let whole = replies(&[&octets]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(octets.len())).collect();
        cuts.extend([0, octets.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &octets[cut[0]..cut[1]]).collect();
        prop_assert_eq!(&whole, &replies(&pieces));
        prop_assert_eq!(number(&octets), Reply::read(&octets).number());
        let joined: Vec<u8> = whole.iter().flat_map(|(octets, _)| octets.clone()).collect();
        if whole.iter().all(|(_, reply)| !reply.contains("Endless")) {
            prop_assert_eq!(joined, octets);
        }
    }

    #[test]
    fn a_plain_reply_reads_the_same_without_the_fast_path(
        octets in "([2-5][0-6][0-9][ -][245]\\.[017]\\.[0-9]{1,3} [a-z\u{7f}\t]{0,40}\r?\n){1,3}",
    ) {
        if let Some(reply) = Reply::read_plain(octets.as_bytes()) {
            prop_assert_eq!(reply, Reply::read_any(octets.as_bytes()));
        }
    }

    #[test]
    fn every_position_is_inside_its_reply(octets in proptest::collection::vec(any::<u8>(), 0..100)) {
        let reply = Reply::read(&octets);
        let lines: Vec<_> = reply.lines().collect();
        for (defect, line, column) in reply.positions() {
            prop_assert!(reply.defects().contains(defect));
            prop_assert!(column <= lines.get(line).map_or(0, |line| line.octets().len()));
        }
    }
}

fn replies(pieces: &[&[u8]]) -> Vec<(Vec<u8>, String)> {
    let mut reader = Reader::new(Limits { line: 30, lines: 4, octets: 60 });
    let mut replies = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(reply) = reader.next() {
            replies.push((reply.octets().to_vec(), format!("{reply:?}")));
        }
    }
    if let Some(reply) = reader.finish() {
        replies.push((reply.octets().to_vec(), format!("{reply:?}")));
    }
    replies
}
