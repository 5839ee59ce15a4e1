//! Names of the variants of a type.

/// Gives a type `name`, a match that must hold every variant to compile, and `NAMES`, the list of what it gives; behind a
/// semicolon, variants that bring names of their own.
macro_rules! names {
    ($of:ident: $($pattern:pat => $name:literal),+ $(; $($own:pat => $given:expr),+)? $(,)?) => {
        impl $of {
            /// The names of this list, in order.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The name used in messages and listings.
            pub fn name(&self) -> &'static str {
                match self {
                    $($pattern => $name,)+
                    $($($own => $given,)+)?
                }
            }
        }
    };
}
pub(super) use names;
