//! Images of any size for networks that take some.

use super::proto::Attribute;
use super::write::Writing;

/// The sides of images that a network takes; others are mirrored up to the next at the bottom and the right, as often as that takes
/// and without repeating the border, and its results cropped back.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    /// They divide by this.
    pub multiple: usize,
    /// None is shorter.
    pub least: usize,
}

impl Sides {
    /// The image `x`, mirrored to sides that the network takes, and its own height and width.
    pub(super) fn mirrored(self, writing: &mut Writing, x: &str) -> (String, String) {
        let mut whole = |name: &str, number: usize| writing.whole(&format!("mirror.{name}"), number as i64);
        let numbers = ["0", "1", "2"].map(|name| whole(name, name.parse().unwrap_or(0)));
        let [zero, one, two] = numbers.each_ref().map(String::as_str);
        let (multiple, least) = (whole("multiple", self.multiple), whole("least", self.least));
        let above = whole("above", self.multiple - 1);
        let shape = writing.node("Shape", "mirror.shape", &[x], vec![]);
        let mut mirrored = x.to_owned();
        for (axis, name) in [(2, "height"), (3, "width")] {
            let at = writing.whole(&format!("mirror.{name}.axis"), axis);
            let mut node = |op: &str, leaf: &str, inputs: &[&str]| {
                writing.node(op, &format!("mirror.{name}.{leaf}"), inputs, vec![])
            };
            let side = node("Gather", "side", &[&shape, &at]);
            let up = node("Add", "up", &[&side, &above]);
            let parts = node("Div", "parts", &[&up, &multiple]);
            let up = node("Mul", "divisible", &[&parts, &multiple]);
            let target = node("Max", "target", &[&up, &least]);
            // Places 0, 1, .. run to the last pixel and back, again and again; an image of one pixel stays there.
            let places = node("Range", "places", &[zero, &target, one]);
            let twice = node("Add", "twice", &[&side, &side]);
            let round = node("Sub", "round", &[&twice, two]);
            let period = node("Max", "period", &[&round, one]);
            let there = node("Mod", "there", &[&places, &period]);
            let back = node("Sub", "back", &[&period, &there]);
            let nearer = node("Min", "nearer", &[&there, &back]);
            let last = node("Sub", "last", &[&side, one]);
            let from = node("Min", "from", &[&nearer, &last]);
            let along = Attribute { name: "axis".into(), i: Some(axis), kind: 2, ..Default::default() };
            mirrored = writing.node("Gather", &format!("mirror.{name}"), &[&mirrored, &from], vec![along]);
        }
        let (from, to) = (writing.ints("mirror.from", &[2]), writing.ints("mirror.to", &[4]));
        (mirrored, writing.node("Slice", "mirror.sides", &[&shape, &from, &to], vec![]))
    }

    /// The part of `y` that shows an image of these `sides`.
    pub(super) fn cropped(writing: &mut Writing, y: &str, sides: &str) -> String {
        let (start, axes) = (writing.ints("crop.start", &[0, 0]), writing.ints("crop.axes", &[2, 3]));
        writing.node("Slice", "crop", &[y, &start, sides, &axes], vec![])
    }
}
