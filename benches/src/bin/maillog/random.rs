//! Random numbers, the same in each run.

use crate::mix::Choices;

/// A generator of random numbers: SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below a bound.
    pub(crate) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Returns a number below a bound, and half of the time one below a tenth of it.
    pub(crate) const fn seldom_below(&mut self, bound: u64) -> u64 {
        let is_low = self.below(2) == 0;
        self.below(if is_low { bound / 10 } else { bound })
    }

    /// Chooses one, each as often as its weight says.
    pub(crate) fn choose<'a, T>(&mut self, choices: &'a Choices<T>) -> &'a T {
        let mut number = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if number < *weight {
                return choice;
            }
            number -= weight;
        }
        unreachable!("the number is below the sum of the weights")
    }
}
