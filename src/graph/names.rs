//! Names of the variants of a type.

/// Gives a type `name`, a match that must hold every variant to compile, and `NAMES`, the list of what it gives.
macro_rules! names {
    ($of:ident: $($pattern:pat => $name:literal),+ $(,)?) => {
        impl $of {
            /// All names, in order.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name used in messages and listings.
            pub fn name(&self) -> &'static str {
                match self {
                    $($pattern => $name),+
                }
            }
        }
    };
}
pub(super) use names;
