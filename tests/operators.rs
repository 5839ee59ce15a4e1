//! Promise: operators on tensors compute what the methods do, and what does not fit is reported by the graph.

use mewgan::executor::Executor;
use mewgan::graph::{Graph, Step, Var, gradients};
use mewgan::reference::Reference;
use mewgan::shape::Shape;

type Build = for<'g> fn(Var<'g>, Var<'g>) -> Var<'g>;

#[test]
fn operators_compute_what_is_written() {
    let cases: [(Build, [f64; 2]); 12] = [
        (|a, b| a + b, [5.0, 8.0]),
        (|a, b| a - b, [1.0, 4.0]),
        (|a, b| a * b, [6.0, 12.0]),
        (|a, _| -a, [-3.0, -6.0]),
        (|a, b| a / b, [1.5, 3.0]),
        (|a, _| a / 2.0, [1.5, 3.0]),
        (|a, _| 12.0 / a, [4.0, 2.0]),
        (|a, _| a + 0.5, [3.5, 6.5]),
        (|a, _| 2.0 - a, [-1.0, -4.0]),
        (|a, _| a - 2.0, [1.0, 4.0]),
        (|a, _| 2.0 * a, [6.0, 12.0]),
        (|a, b| 1.0 + (a - b) * 0.5 * b, [2.0, 5.0]),
    ];
    for (number, (build, expected)) in cases.into_iter().enumerate() {
        let graph = Graph::new();
        // The second repeats.
        let (a, b) = (graph.input("a", Shape::vector(2)), graph.input("b", Shape::SCALAR));
        // Every step reads both.
        let y = build(a, b).add(b.sub(b).unwrap()).unwrap();
        let step = Step::new("step", &graph, &[("y", y)], vec![]).unwrap();
        let mut reference = Reference::<f64>::new(&[], vec![step]).unwrap();
        for (name, values) in [("a", &[3.0, 6.0][..]), ("b", &[2.0])] {
            if reference.write_input(0, name, values).is_err() {
                assert_eq!(name, "a", "{number}");
            }
        }
        reference.run(&[0]).unwrap();
        assert_eq!(reference.read_output(0, "y").unwrap(), expected, "{number}");
    }
}

#[test]
fn what_does_not_fit_is_reported_by_the_graph() {
    let other = Graph::new();
    let of_another = other.input("b", Shape::vector(2));
    let wrong: [(Build, &[&str]); 3] = [
        (|a, b| a + b, &["add", "[1, 1, 1, 2]", "[1, 1, 1, 3]"]),
        (|a, b| (a * b) * 2.0, &["mul", "[1, 1, 1, 2]", "[1, 1, 1, 3]"]),
        (|a, _| a * f64::NAN, &["affine", "NaN"]),
    ];
    for (build, words) in wrong {
        let graph = Graph::new();
        let (a, b) = (graph.input("a", Shape::vector(2)), graph.input("b", Shape::vector(3)));
        let loss = build(a, b).sum();
        for error in [gradients(loss, &[a]).err(), Step::new("step", &graph, &[("y", loss)], vec![]).err()] {
            let error = error.unwrap().to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
    let graph = Graph::new();
    let y = graph.input("a", Shape::vector(2)) + of_another;
    let error = Step::new("step", &graph, &[("y", y)], vec![]).unwrap_err().to_string();
    assert!(error.contains("two graphs"), "{error}");
}
