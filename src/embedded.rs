//! Files that are part of the library: kernels, bundled images, the web page. `build.rs` lists them.

/// Paths within a folder, with `/`, in order, and contents.
pub(crate) type Files = &'static [(&'static str, &'static [u8])];

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

#[cfg(test)]
mod tests {
    #[cfg(feature = "web")]
    use super::PAGE;
    use super::{Files, IMAGES, SHADERS};
    use std::path::Path;

    #[test]
    fn every_file_of_a_folder_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let lists: &[(Files, &str, &[&str])] = &[
            (SHADERS, "shaders", &["."]),
            (IMAGES, "assets", &["noto", "twemoji"]),
            #[cfg(feature = "web")]
            (PAGE, "assets/web", &["."]),
        ];
        for &(embedded, base, folders) in lists {
            let base = root.join(base);
            let all = folders.iter().flat_map(|folder| walkdir::WalkDir::new(base.join(folder)));
            let files = all.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
            assert_eq!(files.count(), embedded.len(), "{}", base.display());
            for (name, content) in embedded {
                assert!(std::fs::read(base.join(name)).unwrap() == *content, "{name}");
            }
        }
    }
}
