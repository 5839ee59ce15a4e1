//! In which iterations a phase is due.

use crate::nn::loss::R1;
use serde::Serialize;
use std::fmt::{Display, Formatter};

/// The iterations, counted from 1, in which a phase is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The first.
    pub first: u64,
    /// From there on every this many.
    pub every: u64,
    /// Of these, every this many is left out.
    pub except: Option<u64>,
}

impl Due {
    /// In iterations `every`, `2 * every`, ..
    pub const fn every(every: u64) -> Self {
        Self { first: every, every, except: None }
    }

    /// Of a step that is due at every `every`-th iteration: when it is due without the R1 penalty, and when with it.
    pub fn with_penalty(every: u64, r1: R1) -> Vec<(bool, Self)> {
        let due = |&penalized: &bool| match (penalized, r1.variants().len() > 1) {
            (true, _) => (true, Self::every(every * r1.every)),
            (false, true) => (false, Self { except: Some(r1.every), ..Self::every(every) }),
            (false, false) => (false, Self::every(every)),
        };
        r1.variants().iter().map(due).collect()
    }

    /// Whether iteration `t` is one of them.
    pub fn is_at(self, t: u64) -> bool {
        t > 0 && self.until(t) > self.until(t - 1)
    }

    /// How many there are up to iteration `t`.
    pub fn until(self, t: u64) -> u64 {
        let all = t.checked_sub(self.first).map_or(0, |since| since / self.every + 1);
        all - self.except.map_or(0, |except| all / except)
    }
}

impl Display for Due {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let every = |interval: u64| match interval {
            1 => "every iteration".to_owned(),
            more => format!("every {} iteration", ordinal(more)),
        };
        f.write_str(&every(self.every))?;
        if self.first != self.every {
            write!(f, " from the {} on", ordinal(self.first))?;
        }
        match self.except {
            Some(except) => write!(f, ", but not {}", every(self.every * except)),
            None => Ok(()),
        }
    }
}

/// A place in a row, such as `2nd`.
fn ordinal(number: u64) -> String {
    let suffix = match (number % 10, number % 100) {
        (1..=3, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::Due;
    use crate::nn::loss::R1;

    fn at(due: Due) -> Vec<u64> {
        (0..=13).filter(|&t| due.is_at(t)).collect()
    }

    #[test]
    fn phases_are_due_at_their_intervals() {
        assert_eq!(at(Due::every(1)), (1..=13).collect::<Vec<_>>());
        assert_eq!(at(Due::every(4)), [4, 8, 12]);
        assert_eq!(at(Due { first: 1, ..Due::every(4) }), [1, 5, 9, 13]);
        assert_eq!(at(Due { except: Some(3), ..Due::every(2) }), [2, 4, 8, 10]);
        for due in [Due { first: 3, every: 2, except: Some(2) }, Due::every(5)] {
            assert_eq!(due.until(13), at(due).len() as u64);
        }
    }

    #[test]
    fn a_step_is_due_with_the_penalty_or_without_it() {
        let r1 = |weight, every| R1 { weight, every };
        assert_eq!(Due::with_penalty(2, r1(0.0, 3)), [(false, Due::every(2))]);
        assert_eq!(Due::with_penalty(2, r1(1.0, 1)), [(true, Due::every(2))]);
        let [(false, without), (true, with)] = Due::with_penalty(2, r1(1.0, 3))[..] else { panic!() };
        assert_eq!((at(without), at(with)), (vec![2, 4, 8, 10], vec![6, 12]));
    }

    #[test]
    fn intervals_have_words() {
        assert_eq!(Due::every(1).to_string(), "every iteration");
        assert_eq!(Due { first: 1, ..Due::every(11) }.to_string(), "every 11th iteration from the 1st on");
        let rare = Due { except: Some(16), ..Due::every(2) };
        assert_eq!(rare.to_string(), "every 2nd iteration, but not every 32nd iteration");
    }
}
