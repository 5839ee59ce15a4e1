//! Which GPU a user means.

use super::AdapterSummary;

/// The places in `gpus`, best first, of those that `choice` means: all where it is empty; the one at a number, counted from 0; those
/// of one name in which the words of `choice` stand side by side, upper and lower case being the same; with `#2` behind, the
/// second of these.
///
/// # Errors
/// If it means none, or several of different names, in words.
pub fn chosen(gpus: &[AdapterSummary], choice: &str) -> Result<Vec<usize>, String> {
    if choice.is_empty() {
        return Ok((0..gpus.len()).collect());
    }
    if let Some(number) = choice.parse().ok().filter(|number| *number < gpus.len()) {
        return Ok(vec![number]);
    }
    let (name, place) = match choice.rsplit_once('#').map(|(name, place)| (name, place.parse::<usize>())) {
        Some((name, Ok(place))) if place > 0 => (name, Some(place)),
        _ => (choice, None),
    };
    let wanted = words(name);
    let has_words = |gpu: &AdapterSummary| {
        let own = words(&gpu.name);
        !wanted.is_empty() && own.windows(wanted.len()).any(|words| *words == *wanted)
    };
    let mut found: Vec<usize> = (0..gpus.len()).filter(|&at| has_words(&gpus[at])).collect();
    let exact: Vec<usize> = found.iter().copied().filter(|&at| words(&gpus[at].name) == wanted).collect();
    if !exact.is_empty() {
        found = exact;
    }
    if found.iter().any(|&at| gpus[at].name != gpus[found[0]].name) {
        return Err(format!("\"{choice}\" is in the names of several GPUs"));
    }
    if let Some(place) = place {
        found = found.get(place - 1).copied().into_iter().collect();
    }
    match found.is_empty() {
        true => Err(format!("no GPU named \"{choice}\"")),
        false => Ok(found),
    }
}

fn words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::chosen;
    use crate::gpu::AdapterSummary;

    fn gpus(names: &[&str]) -> Vec<AdapterSummary> {
        let gpu = |name: &&str| AdapterSummary {
            name: (*name).into(),
            backend: "Vulkan".into(),
            driver: String::new(),
            software: false,
        };
        names.iter().map(gpu).collect()
    }

    #[test]
    fn numbers_are_places_and_names_match_by_words() {
        let gpus = gpus(&[
            "NVIDIA GeForce RTX 4090",
            "NVIDIA GeForce RTX 4080",
            "NVIDIA GeForce RTX 4080",
            "Intel(R) Arc A770",
            "llvmpipe (LLVM 15.0.6, 256 bits)",
        ]);
        for (choice, expected) in [
            ("", &[0, 1, 2, 3, 4][..]),
            ("0", &[0]),
            ("4", &[4]),
            ("4090", &[0]),
            ("rtx 4080", &[1, 2]),
            ("RTX 4080#2", &[2]),
            ("arc", &[3]),
            ("intel(r) arc", &[3]),
            ("llvmpipe (LLVM 15.0.6, 256 bits)", &[4]),
            ("15", &[4]),
        ] {
            assert_eq!(chosen(&gpus, choice).as_deref(), Ok(expected), "{choice}");
        }
        for (choice, says) in [
            ("NVIDIA", "several"),
            ("409", "no GPU named \"409\""),
            ("5", "no GPU"),
            ("rc", "no GPU"),
            ("Arc#2", "no GPU"),
            ("4080 RTX", "no GPU"),
            ("()", "no GPU"),
        ] {
            let error = chosen(&gpus, choice).unwrap_err();
            assert!(error.contains(says), "{choice}: {error}");
        }
    }

    #[test]
    fn a_whole_name_is_not_ambiguous() {
        let gpus = gpus(&["RTX 4080 SUPER", "RTX 4080"]);
        assert_eq!(chosen(&gpus, "rtx 4080"), Ok(vec![1]));
        assert_eq!(chosen(&gpus, "super"), Ok(vec![0]));
    }
}
