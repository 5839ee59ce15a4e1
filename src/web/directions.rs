//! Directions of noise that change images most.

/// The eigenvectors of the largest eigenvalues of `w' w`, largest first, each of length 1: the directions of noise that the
/// generator's first weights stretch most, as in closed-form factorization (Shen and Zhou 2021). `weights` are
/// `[rows, noise]`.
pub fn directions(weights: &[f32], noise: usize, count: usize) -> Vec<Vec<f64>> {
    let mut gram = vec![0.0; noise * noise];
    for row in weights.chunks_exact(noise) {
        for (a, line) in row.iter().zip(gram.chunks_exact_mut(noise)) {
            line.iter_mut().zip(row).for_each(|(sum, b)| *sum += f64::from(a * b));
        }
    }
    let mut found: Vec<Vec<f64>> = Vec::new();
    for index in 0..count.min(noise) {
        // Power iteration, kept apart from what is found already.
        let mut vector: Vec<f64> = (0..noise).map(|at| ((at * 7 + index * 13) as f64).sin() + 0.1).collect();
        for _ in 0..ROUNDS {
            let mut next: Vec<f64> = gram.chunks_exact(noise).map(|line| dot(line, &vector)).collect();
            for other in &found {
                let share = dot(other, &next);
                next.iter_mut().zip(other).for_each(|(value, part)| *value -= share * part);
            }
            let length = dot(&next, &next).sqrt();
            if length == 0.0 {
                return found;
            }
            vector = next.into_iter().map(|value| value / length).collect();
        }
        found.push(vector);
    }
    found
}

/// Enough for an image; eigenvalues that lie close together need not be told apart.
const ROUNDS: usize = 200;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::directions;

    #[test]
    fn directions_are_those_of_the_largest_stretch() {
        // Rows stretch the second axis by 3, the diagonal of the others by 2, and nothing else.
        let weights = [0.0, 3.0, 0.0, 2.0_f32.sqrt(), 0.0, 2.0_f32.sqrt()];
        let found = directions(&weights, 3, 2);
        let half = 0.5_f64.sqrt();
        for (found, expected) in found.iter().zip([[0.0, 1.0, 0.0], [half, 0.0, half]]) {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found.abs() - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
        assert_eq!(found.len(), 2);
        assert!(directions(&[0.0; 6], 3, 2).is_empty(), "weights of zeros stretch nothing");
    }
}
