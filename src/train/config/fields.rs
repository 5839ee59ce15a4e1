//! A setting is written once: [`settings!`] makes of one list the settings a user may leave out and the configuration
//! in which none is missing.

/// Makes two structs of one list of documented fields. In the first every field is optional; it is read from flags
/// (`--d-width`) and from TOML (`d_width`). In the second the `always` fields are set, and `perhaps` fields may not be.
///
/// A model's settings begin `for KIND;`: then both structs have a field `common` as well, the settings of every model, whose flags
/// and TOML stand among its own.
macro_rules! settings {
    (
        $(for $kind:literal;)?
        $(#[$given_doc:meta])* given $given:ident;
        $(#[$full_doc:meta])* full $full:ident;
        perhaps { $( $(#[doc = $doc_p:literal])* $(#[arg($($arg_p:tt)*)])? $name_p:ident: $type_p:ty, )* }
        always {
            $(
                $(#[doc = $doc_a:literal])*
                $(#[arg($($arg_a:tt)*)])?
                $(#[serde($($serde_a:tt)*)])?
                $name_a:ident: $type_a:ty,
            )*
        }
    ) => {
        $(#[$given_doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        #[serde(default)]
        pub struct $given {
            $(
                $(#[doc = $doc_p])*
                #[cfg_attr(feature = "cli", arg(long $(, $($arg_p)*)?))]
                pub $name_p: Option<$type_p>,
            )*
            $(
                $(#[doc = $doc_a])*
                #[cfg_attr(feature = "cli", arg(long $(, $($arg_a)*)?))]
                $(#[serde($($serde_a)*)])?
                pub $name_a: Option<$type_a>,
            )*
            $(
                #[doc = concat!("What `", $kind, "` has in common with every model.")]
                #[cfg_attr(feature = "cli", command(flatten))]
                #[serde(skip)]
                pub common: $crate::train::config::CommonSettings,
            )?
        }

        $(#[$full_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $full {
            $( $(#[doc = $doc_p])* #[serde(skip_serializing_if = "Option::is_none")] pub $name_p: Option<$type_p>, )*
            $( $(#[doc = $doc_a])* $(#[serde($($serde_a)*)])? pub $name_a: $type_a, )*
            $(
                #[doc = concat!("What `", $kind, "` has in common with every model.")]
                #[serde(skip)]
                pub common: $crate::train::config::Common,
            )?
        }

        impl $given {
            /// What these settings are called in TOML.
            pub const NAMES: &[&str] = &[$( stringify!($name_p), )* $( stringify!($name_a), )*];

            /// Replaces in `full` whatever is given here.
            pub fn apply(self, full: &mut $full) {
                $( if self.$name_p.is_some() { full.$name_p = self.$name_p; } )*
                $( if let Some(value) = self.$name_a { full.$name_a = value; } )*
                $( let _ = $kind; self.common.apply(&mut full.common); )?
            }
        }

        $(
            impl $crate::train::config::ModelSettings for $given {
                type Config = $full;
                const OWN: &'static [&'static str] = Self::NAMES;

                fn common(&mut self) -> &mut $crate::train::config::CommonSettings {
                    let _ = $kind;
                    &mut self.common
                }

                fn apply(self, config: &mut $full) {
                    self.apply(config);
                }
            }
        )?
    };
}
pub(crate) use settings;

/// Parses a flag's value by the names its type has in TOML.
#[cfg(feature = "cli")]
pub(crate) fn named<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde::de::value::Error> {
    T::deserialize(serde::de::value::StrDeserializer::new(text))
}
