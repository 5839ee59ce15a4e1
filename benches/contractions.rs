//! The contractions of both systems at preset `course`; an element is a floating-point operation.

mod common;

use criterion::{Criterion, criterion_group, criterion_main};
use mewgan::bench::report::Group;

fn contractions(criterion: &mut Criterion) {
    common::operations(criterion, Group::Contractions);
}

criterion_group!(name = benches; config = common::criterion(); targets = contractions);
criterion_main!(benches);
