// The pixel of an image of `len` that shows at position `at`, where it is continued by mirroring it about its border pixels,
// `before` of them ahead.
fn mirror(at: u32, before: u32, len: u32) -> u32 {
    let position = abs(i32(at) - i32(before));
    let last = i32(len) - 1;
    return u32(select(position, 2 * last - position, position > last));
}
