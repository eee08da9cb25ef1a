//! Groups targets that may be the same server.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::Waiting;
use crate::target::Target;

/// Groups targets. Targets that are `paced` and share an address, directly or through other targets, form one group.
/// Every other target has a group of its own.
pub(super) fn group_by_address(waiting: Vec<Waiting>, paced: impl Fn(&Target) -> bool) -> Vec<Vec<Waiting>> {
    let mut groups: Vec<Vec<Waiting>> = Vec::new();
    let mut places: HashMap<IpAddr, usize> = HashMap::new();
    for one in waiting {
        let addresses = if paced(&one.target) { addresses(&one) } else { Vec::new() };
        let known: BTreeSet<usize> =
            addresses.iter().filter_map(|address| places.get(address).copied()).collect();
        let place = known.first().copied().unwrap_or(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        for other in known.into_iter().skip(1) {
            let moved = std::mem::take(&mut groups[other]);
            groups[place].extend(moved);
            places.values_mut().filter(|value| **value == other).for_each(|value| *value = place);
        }
        places.extend(addresses.into_iter().map(|address| (address, place)));
        groups[place].push(one);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn addresses(waiting: &Waiting) -> Vec<IpAddr> {
    waiting.target.addresses.iter().flatten().map(IpAddr::to_canonical).collect()
}

#[cfg(test)]
mod tests {
    use super::{Waiting, group_by_address};
    use crate::target::Target;

    #[test]
    fn targets_that_share_an_address_form_a_group() {
        let waiting = |(number, addresses): (usize, &&[u8])| {
            let mut target = Target::read(&format!("smtp://{number}.example.org")).expect("a URL");
            target.addresses = Some(addresses.iter().map(|last| [192, 0, 2, *last].into()).collect());
            Waiting { target, file: number.to_string().into() }
        };
        let numbers = |paced: bool, addresses: &[&[u8]]| {
            let groups = group_by_address(addresses.iter().enumerate().map(waiting).collect(), |_| paced);
            let number = |one: Waiting| one.file.display().to_string();
            groups.into_iter().map(|group| group.into_iter().map(number).collect()).collect::<Vec<String>>()
        };
        assert_eq!(numbers(true, &[&[1], &[2], &[1, 3], &[]]), ["02", "1", "3"]);
        assert_eq!(numbers(true, &[&[1], &[2], &[3], &[2, 1], &[2]]), ["0134", "2"]);
        assert_eq!(numbers(false, &[&[1], &[1]]), ["0", "1"]);
    }
}
