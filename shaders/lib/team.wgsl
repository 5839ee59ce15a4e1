// A workgroup that reduces the rows of LANES channel lanes: TEAM invocations share the rows of each, and join what they
// found by halves, in an order that is always the same.
const WORKGROUP = ${LANES}u * ${TEAM}u;

// Which lane, group, part and row of the team invocation `t` of workgroup `index` has.
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
