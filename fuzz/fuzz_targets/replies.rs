//! Cuts any octets into replies, as the client and the transcript reader do.
//!
//! The first octet is the length of the pieces in which the octets arrive; the next three are the limits. Whatever
//! arrives, and however it is split, the replies are the same, no limit is exceeded, and nothing is lost until a reply
//! is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smtp_conformance::protocol::reply::{Defect, DefectSet, Limits, Reader, Reply};

fuzz_target!(|octets: &[u8]| {
    let [piece, line, lines, whole, stream @ ..] = octets else { return };
    let number = |octet: &u8| usize::from(*octet).max(1);
    let limits = Limits { line: number(line), lines: number(lines), octets: 4 * number(whole) };
    for limits in [limits, Limits::default()] {
        let replies = cut(stream, stream.len().max(1), limits);
        assert_eq!(cut(stream, number(piece), limits), replies);
        assert_kept(stream, &replies, limits);
    }
});

type Cut = (Vec<u8>, DefectSet);

fn cut(stream: &[u8], piece: usize, limits: Limits) -> Vec<Cut> {
    let mut reader = Reader::new(limits);
    let mut replies = Vec::new();
    for piece in stream.chunks(piece) {
        reader.push(piece);
        while let Some(reply) = reader.next() {
            replies.push(checked(&reply));
        }
    }
    replies.extend(reader.finish().as_ref().map(checked));
    replies
}

fn checked(reply: &Reply<'_>) -> Cut {
    let again = Reply::read(reply.octets());
    assert_eq!((again.octets(), again.number()), (reply.octets(), reply.number()));
    let is_endless = reply.defects().contains(Defect::Endless);
    assert!(is_endless || again.defects() == reply.defects(), "{again:?} was {reply:?}");
    let lines: Vec<&[u8]> = reply.octets().split_inclusive(|octet| *octet == b'\n').collect();
    assert!(reply.lines().zip(&lines).all(|(line, whole)| whole.starts_with(line.octets())));
    assert_eq!(reply.lines().count(), lines.len());
    for (defect, line, octet) in reply.positions() {
        assert!(reply.defects().contains(defect), "{defect:?} has a position, but is not reported");
        assert!(octet <= lines[line].len(), "{defect:?} at octet {octet} of line {line}");
    }
    (reply.octets().to_vec(), reply.defects())
}

fn assert_kept(stream: &[u8], replies: &[Cut], limits: Limits) {
    let kept: Vec<u8> = replies.iter().flat_map(|(octets, _)| octets).copied().collect();
    let is_cut = replies.last().is_some_and(|(_, defects)| defects.contains(Defect::Endless));
    assert!(stream.starts_with(&kept));
    assert!(is_cut || kept.len() == stream.len(), "{} of {} octets are kept", kept.len(), stream.len());
    for (octets, _) in replies {
        assert!(octets.len() <= limits.octets);
        assert!(octets.split_inclusive(|octet| *octet == b'\n').all(|line| line.len() <= limits.line));
        assert!(octets.split_inclusive(|octet| *octet == b'\n').count() <= limits.lines);
    }
}
