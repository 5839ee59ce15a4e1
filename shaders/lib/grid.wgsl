// One index for every invocation of a grid that is folded where it would exceed 65,535 workgroups a dimension.
const WORKGROUP = 64u;

fn invocation(id: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return id.y * workgroups.x * WORKGROUP + id.x;
}
