//! Promises of `mewgan::data`: images of every kind come in as other decoders show them, or are refused by name; whatever is
//! wrong or left out is told of. The fixtures are made by make.py.

mod archives;
mod damaged;
mod folders;
mod formats;

use mewgan::data::LoadOptions;
use mewgan::size::Size;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use zip::ZipArchive;

const OPTIONS: LoadOptions = LoadOptions::new(Size::square(8), 3);

/// Every file of a zip file of fixtures, by name.
fn fixtures(name: &str) -> BTreeMap<String, Vec<u8>> {
    let path = format!("{}/tests/images/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut zip = ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for number in 0..zip.len() {
        let mut entry = zip.by_index(number).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.insert(entry.name().unwrap().into_owned(), content);
    }
    files
}

fn fixture(zip: &str, name: &str) -> Vec<u8> {
    fixtures(zip).remove(name).unwrap()
}

/// The largest and the mean difference of levels.
fn difference(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let differences = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    (differences().max().unwrap(), differences().map(f64::from).sum::<f64>() / a.len() as f64)
}
