//! Functions of constants in double precision, of which naga computes abs and inverseSqrt in single precision only.

use mewgan::gpu::program::Program;

/// Left to the device, whatever x is.
const FUNCTIONS: &str = "
fn abs_in_double(x: lane) -> lane {
    return abs(x);
}

fn inverseSqrt_in_double(x: lane) -> lane {
    return inverseSqrt(x);
}
";

/// `program` with functions of constants left to the device.
pub fn at_run_time(mut program: Program) -> Program {
    for shader in program.shaders.iter_mut().filter(|shader| shader.source.contains("alias lane = ")) {
        for name in ["abs", "inverseSqrt"] {
            shader.source = renamed(&shader.source, name);
        }
        shader.source += FUNCTIONS;
    }
    program
}

/// `text` with `name` called by the name of the function above where its argument begins as constants do: with a lane made of a
/// number.
fn renamed(text: &str, name: &str) -> String {
    let call = format!("{name}(");
    let mut parts = text.split(&call);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let constant = part.trim_start_matches('(').starts_with("lane(");
        out += &format!("{name}{}({part}", if constant { "_in_double" } else { "" });
    }
    out
}
