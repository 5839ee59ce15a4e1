//! Random numbers for inputs.

use rand::RngExt;

pub type Rng = rand_chacha::ChaCha8Rng;

/// In +-(0.1, 1): away from the kinks of ReLU and |x|.
pub fn number(rng: &mut Rng) -> f64 {
    let size = rng.random_range(0.1..1.0);
    if rng.random() { size } else { -size }
}

/// What an input is for, and so what numbers fit it.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Anything.
    Any,
    /// Offsets of a shift, away from halves: which way those are rounded is settled elsewhere.
    Offsets,
    /// Rows to take from so many.
    Taken(usize),
    /// Rows to replace of so many: each once, for no order of equal ones is promised; a negative one is left out.
    Replaced(usize),
    /// The share of an old average.
    Decay,
    /// An optimizer's.
    Rates,
}

impl Purpose {
    /// `len` numbers.
    pub fn draw(self, len: usize, rng: &mut Rng) -> Vec<f64> {
        match self {
            Self::Any => (0..len).map(|_| number(rng)).collect(),
            Self::Offsets => {
                let offset =
                    |rng: &mut Rng| f64::from(rng.random_range(-2..=2)) + rng.random_range(-0.4..0.4);
                (0..len).map(|_| offset(rng)).collect()
            }
            Self::Taken(of) => (0..len).map(|_| rng.random_range(0..of) as f64).collect(),
            Self::Replaced(of) => {
                let mut left: Vec<usize> = (0..of).collect();
                let mut row = || match left.is_empty() || rng.random_bool(0.2) {
                    true => -1.0,
                    false => left.swap_remove(rng.random_range(0..left.len())) as f64,
                };
                (0..len).map(|_| row()).collect()
            }
            Self::Decay => vec![rng.random_range(0.1..0.9)],
            Self::Rates => {
                let step_size = rng.random_range(0.01..0.1);
                let others = (1..len).map(|_| rng.random_range(1.0..1.5));
                [step_size].into_iter().chain(others).collect()
            }
        }
    }
}
