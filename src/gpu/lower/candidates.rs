//! Which kernels suit a contraction on a device.

use super::gemm::{Contraction, GemmShape, Kind};
use super::lanes::lanes;
use super::narrow::Narrow;
use super::target::Target;
use super::tuning_table::TuningTable;
use super::variant::{Block, Form, Matrix, TILES, Tile, Variant};
use crate::real::Precision;

/// Workgroups that keep a device of unknown size busy, and so many that more parts are not worth their sum.
const BUSY: usize = 128;
const PLENTY: usize = 512;

/// Slices that make a part worth its sum, and most parts.
const LEAST_SLICES: usize = 4;
const MOST_SPLITS: usize = 128;

/// Most numbers in all parts of a result, for they are written and read again.
const MOST_PARTIAL: usize = 32 << 20;

/// With fewer channels than this on either side, kernels that go straight to storage are tried too.
const WIDE: usize = 16;

/// Most columns of a product of which tiles would be mostly empty.
const NARROW: usize = 8;

/// Devices with subgroups so narrow (Intel's are 8 to 32 wide) have registers for 32 results an invocation, not for 64: Mesa's
/// compiler gave each 8 x 8 tile 143 to 227 spills and fills, and multiply-adds were 33 % of its instructions against 57 % in 8 x 4.
/// Elsewhere (AMD, NVIDIA, Adreno, Apple) 8 x 8 tiles read least and hardly spill: docs/kernels/compiled.md.
const FEW_REGISTERS: usize = 8;
const MOST_RESULTS: usize = 32;

impl Tile {
    /// Whether its results do not fit in the registers of an invocation.
    fn spills(&self, target: &Target) -> bool {
        target.subgroup <= FEW_REGISTERS && 16 * self.down * self.across > MOST_RESULTS
    }
}

impl Form {
    /// What a workgroup computes, where one computes a tile.
    fn block(self) -> Option<Block> {
        match self {
            Self::Tiled(tile) => Some(tile.block()),
            Self::Matrix(matrix) => Some(matrix.block()),
            Self::Direct { .. } | Self::Narrow { .. } => None,
        }
    }

    /// Every tile that fits `target`, those for matrix units first; for a software driver none but these.
    fn tiles(target: &Target) -> impl Iterator<Item = (Self, Block)> + Clone {
        let fits = |bytes: usize, invocations: usize| {
            bytes <= target.workgroup_bytes && invocations <= target.workgroup_invocations
        };
        let units = target.matrix.filter(|_| target.precision == Precision::Mixed);
        // Subgroups are whole only where a workgroup is made of such.
        let whole = |of: &Matrix| {
            of.invocations().is_multiple_of(of.units.subgroup[1])
                && of.block().staged_evenly(of.invocations())
        };
        let matrices = units.into_iter().flat_map(Matrix::all).filter(whole);
        let matrices = matrices.filter(move |of| fits(of.bytes(), of.invocations())).map(Self::Matrix);
        let tiles = TILES
            .into_iter()
            .filter(move |of| !target.software && fits(of.bytes(target.precision), of.invocations()));
        matrices.chain(tiles.map(Self::Tiled)).filter_map(|form| Some((form, form.block()?)))
    }
}

impl Block {
    /// Into how many parts a contraction may be cut: as many as keep the device busy, and one.
    fn split_k(&self, gemm: &GemmShape, results: usize, target: &Target) -> Vec<usize> {
        let workgroups = self.workgroups(gemm);
        let most = (gemm.k / (LEAST_SLICES * self.slice))
            .min(MOST_SPLITS)
            .min(MOST_PARTIAL / results)
            .min((target.max_binding / (4 * results as u64)) as usize)
            .max(1);
        let last = most.min(PLENTY.div_ceil(workgroups)).next_power_of_two();
        let last = if last > most { last / 2 } else { last };
        let first = BUSY.div_ceil(workgroups).next_power_of_two().min(last);
        let mut split_k = vec![first];
        while let Some(more) = split_k.last().map(|split_k| 2 * split_k).filter(|&more| more <= last) {
            split_k.push(more);
        }
        if first > 1 {
            split_k.push(1);
        }
        split_k
    }
}

/// Every kernel worth trying for a contraction on `target`, each within its limits; the first is the one taken where nothing
/// was measured.
pub fn candidates(of: &Contraction, target: &Target) -> Vec<Variant> {
    let mut all = vec![default(of, target)];
    let direct = target.software || of.i < WIDE || of.o < WIDE;
    let narrow = if target.software { vec![] } else { narrow(of, target) };
    let more = narrow.into_iter().chain(tiled(of, target));
    let more = more.chain(if direct { direct_all(of, target) } else { vec![] });
    for variant in more {
        if !all.contains(&variant) {
            all.push(variant);
        }
    }
    all
}

/// What is sensible where nothing was measured.
fn default(of: &Contraction, target: &Target) -> Variant {
    let narrow = if target.software { vec![] } else { narrow(of, target) };
    let full = |variant: &&Variant| match variant.form {
        Form::Narrow { pixels } => {
            Narrow::new(of, pixels).threads(of) * variant.split_k >= target.invocations
        }
        Form::Direct { .. } | Form::Tiled(_) | Form::Matrix(_) => false,
    };
    if let Some(variant) = narrow.iter().find(full).or(narrow.last()) {
        return *variant;
    }
    let workgroups = |variant: &Variant| {
        variant.form.block().map_or(0, |block| block.workgroups(&of.gemm()) * variant.split_k)
    };
    let mut tiled = if target.software { vec![] } else { tiled(of, target) };
    tiled.sort_by_key(|variant| matches!(variant.form, Form::Tiled(tile) if tile.spills(target)));
    let largest = tiled.iter().max_by_key(|variant| workgroups(variant));
    let chosen = tiled.iter().find(|variant| workgroups(variant) >= BUSY).or(largest).copied();
    chosen.unwrap_or_else(|| direct(of, target.invocations, &register_tiles(of), target))
}

/// Kernels for few columns, those that read least for each result first.
fn narrow(of: &Contraction, target: &Target) -> Vec<Variant> {
    let variant = |pixels| {
        let threads = Narrow::new(of, pixels).threads(of);
        let split_k = match of.kind {
            Kind::WeightGrad => target.invocations.div_ceil(threads).min(of.batch * of.geometry.small[0]),
            Kind::Conv2d | Kind::ConvTranspose2d => 1,
        };
        Variant { form: Form::Narrow { pixels }, split_k }
    };
    Narrow::pixels(of).into_iter().map(variant).collect()
}

/// Tiles of which little is empty and that are not much smaller than the largest such, with parts that keep a device busy.
fn tiled(of: &Contraction, target: &Target) -> Vec<Variant> {
    let gemm = of.gemm();
    let results = of.shapes()[2].len();
    let wide = gemm.n > NARROW;
    let fitting = Form::tiles(target).filter(|_| wide);
    let least = fitting.clone().map(|(_, block)| block.computed(&gemm)).min().unwrap_or(0);
    let full = fitting.filter(|(_, block)| 2 * block.computed(&gemm) <= 3 * least);
    let largest = full.clone().map(|(_, block)| block.rows * block.columns).max().unwrap_or(0);
    full.filter(|(_, block)| 4 * block.rows * block.columns >= largest)
        .flat_map(|(form, block)| {
            let split_k = block.split_k(&gemm, results, target);
            split_k.into_iter().map(move |split_k| Variant { form, split_k })
        })
        .collect()
}

/// Results an invocation that goes straight to storage can hold, as rows and lanes, largest first.
fn register_tiles(of: &Contraction) -> Vec<[usize; 2]> {
    match of.kind {
        Kind::Conv2d => vec![[8, 4], [4, 4], [4, 2], [2, 2], [2, 1], [1, 1]],
        Kind::ConvTranspose2d => vec![[8, 16], [4, 16], [4, 8], [4, 4], [2, 2], [1, 1]],
        Kind::WeightGrad if of.i.is_multiple_of(4) => vec![[2, 4]],
        Kind::WeightGrad => vec![[4, 4]],
    }
}

fn direct_all(of: &Contraction, target: &Target) -> Vec<Variant> {
    register_tiles(of).into_iter().map(|tile| direct(of, 0, &[tile], target)).collect()
}

/// The first of `tiles` whose grid still has `invocations`, else the last.
fn direct(of: &Contraction, invocations: usize, tiles: &[[usize; 2]], target: &Target) -> Variant {
    let GemmShape { m: rows, batch: layers, .. } = of.gemm();
    let ((i_lanes, _), (o_lanes, _)) = (lanes(of.i), lanes(of.o));
    let (rows, across) = match of.kind {
        Kind::Conv2d => (rows, o_lanes),
        Kind::ConvTranspose2d => (rows * layers, of.i),
        Kind::WeightGrad => (i_lanes, o_lanes),
    };
    let grid = |[down, lanes]: [usize; 2]| rows.div_ceil(down) * across.div_ceil(lanes);
    let [down, lanes] =
        *tiles.iter().find(|&&tile| grid(tile) >= invocations).unwrap_or(&tiles[tiles.len() - 1]);
    if of.kind != Kind::WeightGrad {
        return Variant { form: Form::Direct { rows: down, lanes: lanes.min(across) }, split_k: 1 };
    }
    let (down, lanes) = (down.min(rows), lanes.min(across));
    let lines = of.batch * of.geometry.small[0];
    let split_k = target.invocations.div_ceil(of.geometry.taps() * grid([down, lanes])).min(lines);
    Variant { form: Form::Direct { rows: down, lanes }, split_k }
}

/// The kernel that computes a contraction on `target`: that of its table, if it is one of the candidates, else the default.
pub(super) fn choose(of: &Contraction, target: &Target) -> Variant {
    let chosen = target.choices.get(of).filter(|variant| candidates(of, target).contains(variant));
    chosen.unwrap_or_else(|| default(of, target))
}

impl Target {
    /// The kernels that compute `contractions` on it, all of them settled.
    pub fn resolved(&self, contractions: &[Contraction]) -> TuningTable {
        let mut choices = TuningTable::NONE;
        contractions.iter().for_each(|of| choices.set(*of, choose(of, self)));
        choices
    }
}
