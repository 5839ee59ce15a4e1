//! A setting is written once: [`settings!`] makes of one list the settings a user may leave out and the configuration
//! in which none is missing.

/// The longest settings file, in bytes; a run's own has some 2 kB.
pub(super) const LONGEST: u64 = 1 << 20;

/// Makes two structs of one list of documented fields. In the first every field is optional; it is read from flags
/// (`--d-width`) and from TOML (`d_width`). In the second the `always` fields are set, and `perhaps` fields may not be.
///
/// Both need the fields every run has (`preset`, `steps`, `epochs`, `seed`, `init`, ..); `presets` makes a preset's full
/// settings, and the second struct needs the method `check`.
macro_rules! settings {
    (
        $(#[$given_doc:meta])* given $given:ident;
        $(#[$full_doc:meta])* full $full:ident;
        kind $kind:literal;
        presets $presets:path;
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
        #[serde(deny_unknown_fields, default)]
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
        }

        $(#[$full_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $full {
            $( $(#[doc = $doc_p])* #[serde(skip_serializing_if = "Option::is_none")] pub $name_p: Option<$type_p>, )*
            $( $(#[doc = $doc_a])* $(#[serde($($serde_a)*)])? pub $name_a: $type_a, )*
        }

        impl $given {
            /// What the settings are called in TOML.
            pub const NAMES: &[&str] = &[$( stringify!($name_p), )* $( stringify!($name_a), )*];

            /// Replaces in `full` whatever is given here.
            pub fn apply(self, full: &mut $full) {
                $( if self.$name_p.is_some() { full.$name_p = self.$name_p; } )*
                $( if let Some(value) = self.$name_a { full.$name_a = value; } )*
            }

            /// Parses TOML; `origin` names it in errors.
            ///
            /// # Errors
            /// If it is not TOML, has an unknown setting, or one with a value that cannot be.
            pub fn from_toml(text: &str, origin: &std::path::Path) -> crate::Result<Self> {
                let problem =
                    |error: toml::de::Error| {
                        let error = $crate::spelling::quoted(error);
                        crate::Error::Input(format!("{}: {error}", origin.display()))
                    };
                $crate::train::config::names::check(&toml::from_str(text).map_err(problem)?, $kind, origin)?;
                let given: Self = toml::from_str(text).map_err(problem)?;
                if given.steps.is_some() && given.epochs.is_some() {
                    return Err(crate::Error::Input(format!(
                        "{}: both steps and epochs are given; remove one",
                        origin.display()
                    )));
                }
                Ok(given)
            }

            /// Reads a TOML file.
            ///
            /// # Errors
            #[doc = concat!("As [`", stringify!($given), "::from_toml`], or if the file cannot be read.")]
            pub fn read(path: &std::path::Path) -> crate::Result<Self> {
                Self::from_toml(&$crate::file::text(path, $crate::train::settings::LONGEST)?, path)
            }
        }

        impl $full {
            /// The preset's values, replaced by those of `file`, replaced by those of `flags`, and checked.
            ///
            /// # Errors
            /// If a setting is out of range or two contradict each other; the text names it and says what can be.
            pub fn new(file: $given, flags: $given) -> crate::Result<Self> {
                let mut config = $presets(flags.preset.or(file.preset).unwrap_or_default());
                for layer in [file, flags] {
                    if layer.steps.is_some() && layer.epochs.is_some() {
                        return Err(crate::Error::Input(
                            "both steps and epochs are given; give one of them".into(),
                        ));
                    }
                    if layer.steps.is_some() || layer.epochs.is_some() {
                        (config.steps, config.epochs) = (None, None);
                    }
                    layer.apply(&mut config);
                }
                config.check()?;
                Ok(config)
            }

            /// Reads the whole of a run's `config.toml`, or of the text a checkpoint holds.
            ///
            /// # Errors
            #[doc = concat!("As [`", stringify!($given), "::from_toml`] and [`", stringify!($full), "::new`].")]
            pub fn from_toml(text: &str, origin: &std::path::Path) -> crate::Result<Self> {
                Self::new($given::from_toml(text, origin)?, $given::default())
                    .map_err(|error| error.of_file(origin))
            }

            /// As TOML.
            ///
            /// # Errors
            #[doc = concat!("If a number does not fit TOML, which [`", stringify!($full), "::new`] has ruled out.")]
            pub fn to_toml(&self) -> crate::Result<String> {
                toml::to_string(self).map_err(|error| crate::Error::Input(format!("settings: {error}")))
            }
        }

        impl $crate::train::config::RunConfig for $full {
            type Settings = $given;
            const KIND: &'static str = $kind;

            fn from_file(path: &std::path::Path, flags: $given) -> crate::Result<Self> {
                let file = $given::read(path)?;
                Self::new(file.clone(), flags).map_err(|error| match Self::new(file, $given::default()) {
                    Ok(_) => error,
                    // It is the file's, and no flag's.
                    Err(_) => error.of_file(path),
                })
            }

            fn from_toml(text: &str, origin: &std::path::Path) -> crate::Result<Self> {
                Self::from_toml(text, origin)
            }

            fn to_toml(&self) -> crate::Result<String> {
                self.to_toml()
            }

            fn intervals(&self) -> $crate::train::config::Intervals {
                $crate::train::config::Intervals {
                    log: self.log_every,
                    sample: self.sample_every,
                    checkpoint: self.checkpoint_every,
                    check: self.check_every,
                    keep: self.keep,
                }
            }

            fn total_steps(&self) -> Option<u64> {
                self.steps
            }

            fn device(&self) -> &str {
                &self.device
            }

            fn tunes(&self) -> bool {
                !self.no_tune
            }

            fn has_events(&self) -> bool {
                cfg!(feature = "report") && !self.no_tensorboard
            }

            fn settle(&mut self, total: u64) {
                (self.steps, self.epochs) = (Some(total), None);
            }

            fn memory_limit(&self) -> Option<u64> {
                self.memory_limit
            }

            fn batch_and_size(&self) -> (usize, usize) {
                (self.batch, self.size)
            }

            fn syncs_batch_norm(&self) -> bool {
                self.sync_batch_norm
            }

            fn scaled(self, batch: usize, factor: f64) -> crate::Result<Self> {
                let [g_lr, d_lr] = [self.g_lr, self.d_lr].map(|lr| lr.map(|lr| lr * factor));
                let scaled = Self { batch, lr: self.lr * factor, g_lr, d_lr, ..self };
                scaled.check().map(|()| scaled)
            }

            fn smaller(&self) -> Option<Self> {
                let mut smaller = self.clone();
                match smaller.batch {
                    0 | 1 => smaller.size /= 2,
                    _ => smaller.batch /= 2,
                }
                smaller.check().ok().map(|()| smaller)
            }

            fn start(&self) -> (&[$crate::train::initial::Initial], crate::nn::Init, u64) {
                use $crate::train::initial::Initial;
                let draw = |initial: &[Initial]| initial.iter().find_map(|of| match of {
                    Initial::Drawn(draw) => Some(*draw),
                    Initial::File { .. } => None,
                });
                let usual = || draw(&$presets(self.preset.unwrap_or_default()).init);
                (&self.init, draw(&self.init).or_else(usual).unwrap_or(crate::nn::Init::Normal), self.seed)
            }
        }
    };
}
pub(super) use settings;

/// Parses a flag's value by the names its type has in TOML.
#[cfg(feature = "cli")]
pub(super) fn named<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde::de::value::Error> {
    T::deserialize(serde::de::value::StrDeserializer::new(text))
}
