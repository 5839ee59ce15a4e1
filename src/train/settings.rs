//! A setting is written once: [`settings!`] makes of one list the settings a user may leave out and the configuration
//! in which none is missing.

use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

/// Makes two structs of one list of documented fields. In the first every field is optional; it is read from flags
/// (`--d-width`) and from TOML (`d_width`). In the second the `always` fields are set, and `perhaps` fields may not be.
macro_rules! settings {
    (
        $(#[$given_doc:meta])* given $given:ident;
        $(#[$full_doc:meta])* full $full:ident;
        perhaps { $( $(#[doc = $doc_p:literal])* $(#[arg($($arg_p:tt)*)])? $name_p:ident: $type_p:ty, )* }
        always { $( $(#[doc = $doc_a:literal])* $(#[arg($($arg_a:tt)*)])? $name_a:ident: $type_a:ty, )* }
    ) => {
        $(#[$given_doc])*
        #[derive(Clone, Debug, Default, PartialEq, clap::Args, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $given {
            $( $(#[doc = $doc_p])* #[arg(long $(, $($arg_p)*)?)] pub $name_p: Option<$type_p>, )*
            $( $(#[doc = $doc_a])* #[arg(long $(, $($arg_a)*)?)] pub $name_a: Option<$type_a>, )*
        }

        $(#[$full_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $full {
            $( $(#[doc = $doc_p])* #[serde(skip_serializing_if = "Option::is_none")] pub $name_p: Option<$type_p>, )*
            $( $(#[doc = $doc_a])* pub $name_a: $type_a, )*
        }

        impl $given {
            /// Replaces in `full` whatever is given here.
            pub fn apply(self, full: &mut $full) {
                $( if self.$name_p.is_some() { full.$name_p = self.$name_p; } )*
                $( if let Some(value) = self.$name_a { full.$name_a = value; } )*
            }
        }
    };
}
pub(super) use settings;

/// Parses a flag's value by the names its type has in TOML.
pub(super) fn named<T: DeserializeOwned>(text: &str) -> Result<T, NameError> {
    let names: StrDeserializer<'_, NameError> = text.into_deserializer();
    T::deserialize(names)
}
