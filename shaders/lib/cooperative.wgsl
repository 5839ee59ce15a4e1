// A workgroup that reduces the rows of LANES channel lanes: THREADS invocations share the rows of each, and join what they
// found by halves, in an order that is always the same. The including kernel declares the type `Joined` and
// `join(a, b)`. Text: LANES, THREADS, COOPERATIVE (THREADS is more than 1).
const WORKGROUP = ${LANES}u * ${THREADS}u;

// Which lane, group, part and row invocation `t` of workgroup `index` has.
struct Member {
    lane: u32,
    group: u32,
    part: u32,
    row: u32,
}

fn member(id: vec3<u32>, workgroups: vec3<u32>, t: u32, lanes: u32, parts: u32) -> Member {
    let index = id.y * workgroups.x + id.x;
    let blocks = (lanes + ${LANES}u - 1u) / ${LANES}u;
    return Member(index % blocks * ${LANES}u + t % ${LANES}u, index / (blocks * parts), index / blocks % parts, t / ${LANES}u);
}

#if COOPERATIVE
var<workgroup> joined: array<Joined, WORKGROUP>;

// What all of them found, for each.
fn of_all(t: u32, own: Joined) -> Joined {
    joined[t] = own;
    for (var half = ${THREADS}u / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if t < half * ${LANES}u {
            joined[t] = join(joined[t], joined[t + half * ${LANES}u]);
        }
    }
    workgroupBarrier();
    return joined[t % ${LANES}u];
}
#else
fn of_all(t: u32, own: Joined) -> Joined {
    return own;
}
#end
