//! The largest norms of both systems at preset `course`, by the bytes of their operands and results.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use mewgan::bench::report::Group;

fn norms(criterion: &mut Criterion) {
    common::operations(criterion, Group::Norms);
}

criterion_group!(name = benches; config = common::criterion(); targets = norms);
criterion_main!(benches);
