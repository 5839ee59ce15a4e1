//! Promises of `mewgan::quality`: each figure ranks damaged images below real ones, and wrong input is refused.

use crate::support::damage::{SIDE, Values, blurred, changed, checkered, few, noisy, tinted};
use crate::support::fixtures::{golden, tensors};
use mewgan::Result;
use mewgan::quality::{
    ImageSet, SlicedWassersteinOptions, average_over_levels, diversity, mean_absolute_error, nearest,
    sliced_wasserstein, structural_similarity,
};
use mewgan::random::stream;
use mewgan::size::Size;
use rand::RngExt;

const OPTIONS: SlicedWassersteinOptions = SlicedWassersteinOptions { patches: 64, directions: 64, seed: 11 };

/// Images of soft discs of random colours before a random slope of colour, with a little grain all over.
fn blobs(count: usize, seed: u64) -> Values {
    (0..count).flat_map(|image| blob_image(seed, image)).collect()
}

fn blob_image(seed: u64, image: usize) -> Values {
    let mut rng = stream(seed, "blobs", image as u64);
    let mut draw = |low: f32, high: f32| rng.random_range(low..high);
    let [ground, slope] = [0.6, 0.3].map(|most| [(); 3].map(|()| draw(-most, most)));
    let discs = [(); 4].map(|()| {
        let [x, y, radius] = [(0.0, 64.0), (0.0, 64.0), (5.0, 20.0)].map(|(a, b)| draw(a, b));
        (x, y, radius, [(); 3].map(|()| draw(-0.9, 0.9)))
    });
    let mut values = Vec::with_capacity(SIDE * SIDE * 3);
    for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y as f32, x as f32))) {
        let mut pixel = [0, 1, 2].map(|c| ground[c] + slope[c] * (x + y - 64.0) / 64.0);
        for (centre_x, centre_y, radius, colour) in discs {
            let cover = 1.0 / (1.0 + ((x - centre_x).hypot(y - centre_y) - radius).exp());
            pixel.iter_mut().zip(colour).for_each(|(value, colour)| *value += cover * (colour - *value));
        }
        values.extend(pixel.map(|value| value + draw(-0.03, 0.03)));
    }
    values
}

/// Left and right exchanged.
fn mirrored(values: &[f32]) -> Values {
    values.chunks(SIDE * 3).flat_map(|row| row.chunks(3).rev().flatten()).copied().collect()
}

fn set(values: &[f32]) -> ImageSet<'_> {
    ImageSet::new(values, SIDE, 3).unwrap()
}

/// The distances at sides 64, 32, 16 and 8.
fn distances(images: &[f32], real: &[f32]) -> [f64; 4] {
    let levels = sliced_wasserstein(set(images), set(real), &OPTIONS).unwrap();
    assert_eq!(levels.iter().map(|(size, _)| size.width).collect::<Vec<_>>(), [64, 32, 16, 8]);
    std::array::from_fn(|level| levels[level].1)
}

fn message<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn damage_shows_at_the_scale_it_happens_at() {
    let [a, b] = [blobs(48, 1), blobs(48, 2)];
    let halves = distances(&a, &b);
    let compare = |name: &str, damaged: Values| {
        let found = distances(&damaged, &a);
        println!("{name}: {found:.1?}, two halves {halves:.1?}");
        [0, 1, 2, 3].map(|level| found[level] / halves[level])
    };

    let [finest, _, _, coarsest] = compare("blurred", blurred(&b));
    assert!(finest > 1.5 && coarsest < 1.2, "{finest} {coarsest}");
    let [finest, middle, _, coarsest] = compare("noisy", noisy(&b, 0.2));
    assert!(finest > 1.5 && middle > 1.5 && coarsest < 1.2, "{finest} {middle} {coarsest}");
    // The pyramid's blur removes this pattern altogether before it halves.
    let [finest, middle, _, coarsest] = compare("checkered", checkered(&b));
    assert!(finest > 1.5 && middle < 1.2 && coarsest < 1.2, "{finest} {middle} {coarsest}");
    let [_, _, coarse, coarsest] = compare("collapsed", few(&b, 1));
    assert!(coarse > 1.5 && coarsest > 1.5, "{coarse} {coarsest}");
    let [finest, _, _, coarsest] = compare("tinted", tinted(&b, 0.3));
    assert!(finest < 1.2 && coarsest > 1.5, "{finest} {coarsest}");
    let pale = compare("pale", changed(&b, |value, _, _| 0.6 * value));
    assert!(pale.iter().all(|level| *level > 1.2), "{pale:?}");
}

#[test]
fn more_noise_is_further_away() {
    let [a, b] = [blobs(24, 1), blobs(24, 2)];
    let average = |b: &[f32]| average_over_levels(&sliced_wasserstein(set(&a), set(b), &OPTIONS).unwrap());
    let [less, more] = [0.1, 0.3].map(|amount| average(&noisy(&b, amount)));
    assert!(average(&b) < less && less < more, "{} {less} {more}", average(&b));
}

#[test]
fn sliced_wasserstein_is_zero_for_equal_sets_and_repeatable() {
    let [a, b] = [blobs(6, 1), blobs(9, 2)];
    assert_eq!(distances(&a, &a), [0.0; 4]);
    assert_eq!(distances(&a, &b), distances(&a, &b));

    let single = |seed, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = SlicedWassersteinOptions { seed, ..OPTIONS };
        pool.install(|| sliced_wasserstein(set(&a), set(&b), &options).unwrap())
    };
    assert_eq!(single(3, 1), single(3, 3));
    assert_ne!(single(3, 1), single(4, 1));
}

#[test]
fn sliced_wasserstein_gives_a_distance_known_by_hand() {
    // Flat images: values evenly from -1 to 1 in one set, -1 and 1 in the real one, whose deviation is 1. The sorted
    // values are u and sign(u) for u from -1 to 1, on average 1/2 apart. Every second direction
    // is 49 times 1/7, or -1/7, and stretches a patch of 49 equal values by 7; the others are random, and stretch by |the
    // sum of the vector|, on average sqrt(2 / pi) (1 + 1 / (4 * 49)).
    let even: Values = (0..1000).flat_map(|i| [-1.0 + i as f32 / 499.5; 225]).collect();
    let ends: Values = [-1.0, 1.0].into_iter().flat_map(|level| [level; 225]).collect();
    let [even, ends] = [&even, &ends].map(|values| ImageSet::new(values, 15, 1).unwrap());
    let options = SlicedWassersteinOptions { patches: 500, directions: 4096, seed: 11 };
    let levels = sliced_wasserstein(even, ends, &options).unwrap();
    let random = std::f64::consts::FRAC_2_PI.sqrt() * (1.0 + 1.0 / 196.0);
    let expected = 1e3 * 0.5 * (7.0 + random) / 2.0;
    // The random stretches deviate by 0.6, the mean of 2048 of them by 0.013: 0.2 % of the whole; four of those.
    let [(Size { height: 15, width: 15 }, distance)] = levels[..] else { panic!("one level of side 15") };
    assert!((distance / expected - 1.0).abs() < 8e-3, "{distance}, expected {expected}");
}

#[test]
fn flat_images_have_figures() {
    let [a, b] = [0.25, -0.5].map(|level| vec![level; 2 * SIDE * SIDE * 3]);
    let [details @ .., coarsest] = distances(&a, &b);
    assert!(details.iter().all(|distance| *distance < 0.1) && coarsest > 1.0, "{details:?} {coarsest}");
    assert!(distances(&a, &blobs(2, 1)).iter().all(|distance| *distance > 1.0));
    assert!(distances(&blobs(2, 1), &a).iter().all(|distance| distance.is_finite() && *distance > 1.0));
}

#[test]
fn diversity_is_the_mean_distance_of_pairs() {
    // Three flat images: the distances are 1, 1 and 2.
    let values: Values = [-1.0, 0.0, 1.0].into_iter().flat_map(|level| [level; 12]).collect();
    let found = diversity(ImageSet::new(&values, 2, 3).unwrap()).unwrap();
    assert!((found - 4.0 / 3.0).abs() < 1e-6, "{found}");

    let images = blobs(8, 1);
    assert_eq!(diversity(set(&few(&images, 1))).unwrap(), 0.0);
    assert!(diversity(set(&images)).unwrap() > 0.1);
}

#[test]
fn diversity_of_many_images_is_close_to_that_of_all_pairs() {
    // 600 images of one value, 179,700 pairs; evenly from -1 to 1, two of them lie 2/3 apart on average.
    let values: Values = (0..600).map(|i| -1.0 + i as f32 / 299.5).collect();
    let set = ImageSet::new(&values, 1, 1).unwrap();
    let found = diversity(set).unwrap();
    // The deviation of a distance is sqrt(2)/3; of the mean of 20,000, .0034. Six of those.
    assert!((found - 2.0 / 3.0).abs() < 0.02, "{found}");
    assert_eq!(found, diversity(set).unwrap());
}

#[test]
fn nearest_finds_copies_and_mirrored_copies() {
    let training = blobs(12, 1);
    let len = SIDE * SIDE * 3;
    let image = |index: usize| &training[index * len..][..len];
    let shifted: Values = image(9).iter().map(|value| value + 0.01).collect();
    let queries = [image(7), &mirrored(image(4)), &shifted].concat();

    let found = nearest(set(&queries), set(&training)).unwrap();
    assert_eq!(found[..2], [(7, 0.0), (4, 0.0)]);
    assert_eq!(found[2].0, 9);
    assert!((found[2].1 - 0.01).abs() < 1e-5, "{found:?}");
}

/// `sqrt(mean (a - b)^2)`.
fn root_mean_square(a: &[f32], b: &[f32]) -> f64 {
    let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (sum / a.len() as f64).sqrt()
}

#[test]
fn nearest_gives_the_first_of_equals_and_the_true_distance() {
    let [images, training] = [blobs(5, 1), blobs(10, 2)];
    let found = nearest(set(&images), set(&training)).unwrap();
    assert_eq!(found, nearest(set(&images), set(&training.repeat(2))).unwrap());
    let len = SIDE * SIDE * 3;
    for (image, (index, distance)) in images.chunks(len).zip(found) {
        let distances: Vec<f64> = training.chunks(len).map(|other| root_mean_square(image, other)).collect();
        let mirrored = mirrored(&training[index * len..][..len]);
        let to_found = distances[index].min(root_mean_square(image, &mirrored));
        assert!((distance - to_found).abs() < 1e-6, "{distance} and {to_found}");
        assert!(distances.iter().all(|other| distance <= other + 1e-6), "{distance} and {distances:?}");
    }
}

#[test]
fn the_paired_error_follows_its_formula() {
    let a = [0.5, -0.5, 1.0, 0.0];
    let b = [0.5, 0.5, 0.0, 0.0];
    let [a, b] = [&a, &b].map(|values| ImageSet::new(values, 1, 1).unwrap());
    assert_eq!(mean_absolute_error(a, b).unwrap(), 0.5);
    assert_eq!(mean_absolute_error(a, a).unwrap(), 0.0);
}

/// The fixture is written by tests/golden/make_ssim.py.
#[test]
fn structural_similarity_is_what_scikit_image_computes() {
    let fixture = tensors(&golden("ssim.safetensors"));
    for case in ["colour", "grey", "smallest"] {
        let values = |of: &str| -> Vec<f32> {
            fixture[&format!("{case}.{of}")].values.iter().map(|&value| value as f32).collect()
        };
        let [height, width, channels] = fixture[&format!("{case}.a")].shape[..] else { panic!("3 axes") };
        let (a, b) = (values("a"), values("b"));
        let set = |values| ImageSet::new(values, Size { height, width }, channels).unwrap();
        let found = structural_similarity(set(&a), set(&b)).unwrap();
        let expected = fixture[&format!("{case}.ssim")].values[0];
        // Its filter rounds otherwise.
        assert!((found - expected).abs() < 1e-9, "{case}: {found}, expected {expected}");
        assert!((structural_similarity(set(&a), set(&a)).unwrap() - 1.0).abs() < 1e-12);
    }
    let small = [0.0; 10 * 11];
    let small = ImageSet::new(&small, Size { height: 10, width: 11 }, 1).unwrap();
    assert!(message(structural_similarity(small, small)).contains("window of 11x11"));
}

#[test]
fn wrong_input_is_refused() {
    for (len, side, channels) in [(0, 2, 3), (13, 2, 3), (12, 0, 3), (12, 2, 0), (12, usize::MAX, 3)] {
        let text = message(ImageSet::new(&vec![0.0; len], side, channels));
        assert!(text.contains("not one or more images"), "{text}");
    }
    let text = message(ImageSet::new(&[0.0, 0.0, 0.0, f32::NAN], 1, 2));
    assert!(text.contains("image 1 of 2 holds NaN"), "{text}");

    let values = [0.0; 192];
    let of = |side, channels| ImageSet::new(&values[..side * side * channels], side, channels).unwrap();
    for text in [
        message(sliced_wasserstein(of(8, 3), of(8, 1), &OPTIONS)),
        message(nearest(of(8, 3), of(4, 3))),
        message(mean_absolute_error(of(8, 3), of(4, 3))),
    ] {
        assert!(text.contains("cannot be compared with images of size"), "{text}");
    }
    let two = ImageSet::new(&values[..96], 4, 3).unwrap();
    assert!(message(mean_absolute_error(of(4, 3), two)).contains("1 images cannot be compared with 2"));
    assert!(message(diversity(of(8, 3))).contains("give two or more"));
    assert!(message(sliced_wasserstein(of(4, 3), of(4, 3), &OPTIONS)).contains("smaller than its patches"));
    for bad in [0, usize::MAX] {
        for options in [
            SlicedWassersteinOptions { patches: bad, ..OPTIONS },
            SlicedWassersteinOptions { directions: bad, ..OPTIONS },
        ] {
            assert!(message(sliced_wasserstein(of(8, 3), of(8, 3), &options)).contains("must be from 1 to"));
        }
    }
}
