//! What double precision lacks, written with what there is: exp, log and tanh, which SPIR-V does not have, and functions of
//! constants, which naga computes in single precision only. Everything around them stays the kernel's own.

use mewgan::gpu::program::Program;

/// Taylor's series of exp at x / 1024, squared ten times: good to 1e-13.
const EXP: &str = "
fn exp_in_double(x: lane) -> lane {
    let t = x / lane(1024.0);
    var y = lane(1.0);
    TERMS
    SQUARES
    return y;
}
";

const TANH: &str = "lane(1.0) - lane(2.0) / (lane(1.0) + exp_in_double(lane(2.0) * x))";
const SIGMOID: &str = "lane(1.0) / (lane(1.0) + exp_in_double(-x))";
const SOFTPLUS: &str = "max(x, lane(0.0)) + log1p_in_double(exp_in_double(-abs(x)))";

/// `log(1 + x) = 2 atanh(x / (2 + x))` for x in [0, 1], by its series.
const LOG1P: &str = "
fn log1p_in_double(x: lane) -> lane {
    let z = x / (lane(2.0) + x);
    let s = z * z;
    var y = lane(0.0);
    TERMS
    return lane(2.0) * z * y;
}
";

/// Not computed by the compiler where x is a constant.
const OF_CONSTANTS: &str = "
fn abs_in_double(x: lane) -> lane {
    return abs(x);
}

fn inverseSqrt_in_double(x: lane) -> lane {
    return inverseSqrt(x);
}
";

/// `text` with the functions of constants called by those names: an expression of constants begins with one.
fn of_constants(text: &str) -> String {
    let mut out = text.to_owned();
    for name in ["abs", "inverseSqrt"] {
        let parts: Vec<&str> = out.split(&format!("{name}(")).collect();
        let mut joined = parts[0].to_owned();
        for part in &parts[1..] {
            let constant = part.trim_start_matches('(').starts_with("lane(");
            joined += &format!("{name}{}({part}", if constant { "_in_double" } else { "" });
        }
        out = joined;
    }
    out
}

/// `program` with these functions in place of its own.
pub fn in_double(mut program: Program) -> Program {
    let lines = |lines: Vec<String>| lines.join("\n    ");
    let taylor = (1..=12).rev().map(|k| format!("y = lane(1.0) + y * t / lane({k}.0);")).collect();
    let exp = EXP.replace("TERMS", &lines(taylor)).replace("SQUARES", &lines(vec!["y = y * y;".into(); 10]));
    let series = (0..=16).rev().map(|k| format!("y = lane(1.0) / lane({}.0) + s * y;", 2 * k + 1)).collect();
    let log1p = LOG1P.replace("TERMS", &lines(series));
    for shader in &mut program.shaders {
        if !shader.source.contains("fn softplus(") {
            continue;
        }
        shader.source = of_constants(&shader.source);
        for (name, body) in [("tanh_bounded", TANH), ("sigmoid", SIGMOID), ("softplus", SOFTPLUS)] {
            let head = format!("fn {name}(x: lane) -> lane {{");
            let Some(start) = shader.source.find(&head) else { continue };
            let end = start + shader.source[start..].find("\n}\n").expect("the function ends") + 3;
            shader.source.replace_range(start..end, &format!("{head}\n    return {body};\n}}\n"));
        }
        shader.source += &[&exp, &log1p, OF_CONSTANTS].concat();
    }
    program
}
