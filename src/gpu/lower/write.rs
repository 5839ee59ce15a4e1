//! Dispatches written down: WGSL texts and pipelines, each once.

use super::call::{Call, Memory};
use crate::Result;
use crate::gpu::preprocess;
use crate::gpu::program::{Dispatch, Pipeline, Region, Shader};
use crate::shape::Shape;

/// What is written so far.
#[derive(Default)]
pub struct Writer {
    pub shaders: Vec<Shader>,
    pub pipelines: Vec<Pipeline>,
    pub dispatches: Vec<Dispatch>,
}

impl Writer {
    /// One dispatch for all `members`, which do the same work on different memory.
    pub fn dispatch(
        &mut self,
        members: &[&Call],
        region: impl Fn(Memory) -> Region,
        shape: impl Fn(Memory) -> Shape,
    ) -> Result<()> {
        let call = members[0];
        // Results are bound behind whatever is read.
        let mut definitions = call.definitions.clone();
        definitions.push(("LEAVES", call.leaves.clone()));
        for (name, at) in ["RESULT", "RESULT1", "RESULT2"].into_iter().zip(call.reads.len()..) {
            definitions.push((name, at.to_string()));
        }
        let (kernel, mut source) = match &call.text {
            None => (call.kernel.to_owned(), preprocess::expand(call.kernel, &definitions)?),
            Some(text) => {
                (Shader::custom(call.kernel), preprocess::expand_text(call.kernel, text, &definitions)?)
            }
        };
        let mut bindings = Vec::new();
        let mut offsets = Vec::new();
        let mut counts = Vec::new();
        for binding in 0..call.reads.len() + call.writes.len() {
            let regions: Vec<Region> = members.iter().map(|member| region(member.binding(binding))).collect();
            let whole = cover(&regions);
            offsets.push(regions.iter().map(|region| region.offset - whole.offset).collect::<Vec<u64>>());
            counts.push(members.iter().map(|member| shape(member.binding(binding)).len()).collect());
            bindings.push(whole);
        }
        let of_member = |at: usize| move |member: &&Call| member.constants[at].1;
        let differs = |at: usize| members.iter().any(|member| member.constants[at].1 != call.constants[at].1);
        let (own, shared): (Vec<usize>, Vec<usize>) = (0..call.constants.len()).partition(|&at| differs(at));
        if members.len() > 1 {
            let own = own
                .into_iter()
                .map(|at| (call.constants[at].0, members.iter().map(of_member(at)).collect::<Vec<f64>>()));
            source = for_members(&source, &offsets, &own.collect::<Vec<_>>());
        }
        let shader = index_of(&mut self.shaders, Shader { kernel, source });
        let constant = |at: usize| (call.constants[at].0.to_owned(), call.constants[at].1);
        let constants = shared.into_iter().map(constant).collect();
        let pipeline = index_of(&mut self.pipelines, Pipeline { shader, constants });
        self.dispatches.push(Dispatch {
            op: call.op.to_owned(),
            pipeline,
            bindings,
            shapes: call.reads.iter().chain(&call.writes).map(|&memory| shape(memory)).collect(),
            counts,
            members: members.len(),
            offsets,
            workgroups: Call::grid_of(members),
        });
        Ok(())
    }
}

fn index_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|other| *other == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

/// The stretch from the first to the last of `regions`, which lie in one buffer.
fn cover(regions: &[Region]) -> Region {
    let offset = regions.iter().map(|region| region.offset).min().unwrap_or_default();
    let end = regions.iter().map(|region| region.offset + region.size).max().unwrap_or_default();
    Region { offset, size: end - offset, ..regions[0] }
}

/// A kernel for many members, told apart by the grid's z, from one that knows nothing of them: every index into binding `k`
/// begins at the member's own of `offsets[k]`, in bytes, and each of `constants` is the member's own.
fn for_members(source: &str, offsets: &[Vec<u64>], constants: &[(&str, Vec<f64>)]) -> String {
    let mut text = source.to_owned();
    let mut declarations = String::new();
    let mut begin = String::new();
    for (binding, offsets) in offsets.iter().enumerate() {
        if offsets.iter().all(|&offset| offset == 0) {
            continue;
        }
        let (name, size) = declared(source, binding);
        let offsets: Vec<u64> = offsets.iter().map(|offset| offset / size).collect();
        text = indexed_from(&text, name, &format!("{name}_from + "));
        declarations.push_str(&format!("var<private> {name}_from: u32;\n"));
        begin.push_str(&format!("\n    {name}_from = {};", of_member(&offsets)));
    }
    for (name, values) in constants {
        for kind in ["u32", "f32"] {
            let constant = format!("override {name}: {kind};");
            if text.contains(&constant) {
                text = text.replace(&constant, &format!("var<private> {name}: {kind};"));
                let values: Vec<String> = values.iter().map(|value| format!("{kind}({value})")).collect();
                begin.push_str(&format!("\n    {name} = {};", chosen(&values)));
            }
        }
    }
    let entry = text.find("@compute").unwrap_or(0);
    text.insert_str(entry, &declarations);
    let body = text[entry..].find("{\n").map_or(text.len(), |at| entry + at + 1);
    text.insert_str(body, &begin);
    text
}

/// The number of a member: a multiple of its own where they are evenly apart.
fn of_member(numbers: &[u64]) -> String {
    let step = numbers.get(1).copied().unwrap_or(0);
    let evenly = numbers.iter().zip(0..).all(|(&number, member)| number == member * step);
    let text = |number: &u64| format!("{number}u");
    if evenly { format!("id.z * {step}u") } else { chosen(&numbers.iter().map(text).collect::<Vec<_>>()) }
}

/// The value of a member.
fn chosen(values: &[String]) -> String {
    let or = |text: String, (member, value): (usize, &String)| match *value == values[0] {
        true => text,
        false => format!("select({text}, {value}, id.z == {member}u)"),
    };
    values.iter().enumerate().skip(1).fold(values[0].clone(), or)
}

/// The name of a binding's array and the bytes of its elements.
fn declared(source: &str, binding: usize) -> (&str, u64) {
    let tag = format!("@binding({binding}) ");
    let declaration = source.split(&tag).nth(1).unwrap_or_default();
    let name = declaration.split("> ").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
    let element =
        declaration.split("array<").nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
    (name, if is_four(source, element) { 16 } else { 4 })
}

fn is_four(source: &str, element: &str) -> bool {
    let alias = source.split(&format!("alias {element} = ")).nth(1).and_then(|rest| rest.split(';').next());
    alias.map_or_else(|| element.starts_with("vec4"), |alias| is_four(source, alias))
}

/// `text` with `from` put behind every `name[`.
fn indexed_from(text: &str, name: &str, from: &str) -> String {
    let opening = format!("{name}[");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&opening) {
        let own = !rest[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        out.push_str(&rest[..at + opening.len()]);
        if own {
            out.push_str(from);
        }
        rest = &rest[at + opening.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::for_members;

    #[test]
    fn members_index_from_their_own_offsets() {
        let kernel = "alias real = f32;\nalias real4 = vec4<f32>;\nalias lane = real4;\n@group(0) @binding(0) var<storage, read> x: array<lane>;\n\
            @group(0) @binding(1) var<storage, read_write> max_x: array<real>;\n\
            @compute @workgroup_size(64)\nfn main(id: vec3<u32>) {\n    max_x[id.x] = x[id.x].x;\n}\n";
        let text = for_members(kernel, &[vec![0, 512], vec![256, 0]], &[]);
        assert!(text.contains("x_from = id.z * 32u;"), "{text}");
        assert!(text.contains("max_x_from = select(64u, 0u, id.z == 1u);"), "{text}");
        assert!(text.contains("max_x[max_x_from + id.x] = x[x_from + id.x].x;"), "{text}");
        assert_eq!(for_members(kernel, &[vec![0, 0], vec![0, 0]], &[]), kernel);
    }

    #[test]
    fn members_have_their_own_constants() {
        let kernel = "override C: u32;\noverride KEEP: f32;\n@compute @workgroup_size(64)\nfn main(id: vec3<u32>) {\n}\n";
        let text = for_members(kernel, &[], &[("C", vec![2.0, 3.0, 2.0]), ("KEEP", vec![0.5, 1.0, 2.0])]);
        assert!(text.contains("var<private> C: u32;"), "{text}");
        assert!(text.contains("C = select(u32(2), u32(3), id.z == 1u);"), "{text}");
        let keep = "KEEP = select(select(f32(0.5), f32(1), id.z == 1u), f32(2), id.z == 2u);";
        assert!(text.contains(keep), "{text}");
    }
}
