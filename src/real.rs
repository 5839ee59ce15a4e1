//! The numbers that are computed with.

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

/// How an executor computes contractions (conv2d, conv_transpose2d and conv2d_weight_grad).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Everything in single precision.
    #[default]
    F32,
    /// Their operands are rounded to half precision (f16, to nearest, ties to even); products are summed in single precision, in which
    /// all else is computed and kept.
    Mixed,
}

impl Precision {
    /// Its name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Mixed => "mixed",
        }
    }

    /// Whether it is single precision.
    pub fn is_single(&self) -> bool {
        *self == Self::F32
    }
}

/// A real number: f32 or f64, and no other.
pub trait Real:
    sealed::Sealed + num_traits::Float + num_traits::NumAssign + bytemuck::Pod + Send + Sync
{
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The number in double precision.
    fn as_f64(self) -> f64;
    /// `tanh`, to a few units in the last place.
    fn hyperbolic_tangent(self) -> Self;
    /// Rounds each number to half precision (f16): to the nearest, ties to even; beyond its range to an infinity.
    fn halve(values: &mut [Self]);
    /// The same numbers, their type known.
    fn typed(values: &mut [Self]) -> Typed<'_>;
}

/// Numbers of one of the two types.
#[derive(Debug)]
pub enum Typed<'a> {
    /// In single precision.
    F32(&'a mut [f32]),
    /// In double precision.
    F64(&'a mut [f64]),
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    fn from_f64(value: f64) -> Self {
        value as Self
    }
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        tanh(self)
    }
    fn halve(values: &mut [Self]) {
        let mut halves = vec![f16::ZERO; values.len()];
        halves.convert_from_f32_slice(values);
        halves.convert_to_f32_slice(values);
    }
    fn typed(values: &mut [Self]) -> Typed<'_> {
        Typed::F32(values)
    }
}

impl Real for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }
    fn as_f64(self) -> f64 {
        self
    }
    fn hyperbolic_tangent(self) -> Self {
        self.tanh()
    }
    fn halve(values: &mut [Self]) {
        values.iter_mut().for_each(|value| *value = f16::from_f64(*value).to_f64());
    }
    fn typed(values: &mut [Self]) -> Typed<'_> {
        Typed::F64(values)
    }
}

/// `tanh` as a quotient of two polynomials, after Eigen's `ptanh`; beyond the limit it is 1 in f32.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    const LIMIT: f32 = 7.905_311;
    const ABOVE: [f32; 7] = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_525_5e-3,
    ];
    const BELOW: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    let bounded = x.clamp(-LIMIT, LIMIT);
    let square = bounded * bounded;
    let polynomial = |factors: &[f32]| factors.iter().fold(0.0, |sum, factor| sum * square + factor);
    bounded * polynomial(&ABOVE) / polynomial(&BELOW)
}
