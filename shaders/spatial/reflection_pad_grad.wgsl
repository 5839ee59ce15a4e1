// The transpose of spatial/reflection_pad.wgsl: every padded pixel is added to the pixel it mirrors.
// Equation: dx[n,h,w,c] = sum over all a,b with mirror(a - TOP) = h, mirror(b - LEFT) = w of gy[n,a,b,c]
// Reference: reference/spatial.rs `reflection_pad_grad`.
// Layout: dx [n, H, W, C], gy [n, YH, YW, C], or [SPLIT] of them that are added, C counted in lanes.
// One invocation: one lane of dx. A pixel is met by itself, by its mirror image before the border and by the one after: up to
//     3 x 3 of gy.
// Text: VEC4.
// Constants: COUNT (lanes of dx), H W C YH YW TOP LEFT SPLIT LEN (lanes of gy).
#import lib/lane
#import lib/grid

override COUNT: u32;
override H: u32;
override W: u32;
override C: u32;
override YH: u32;
override YW: u32;
override TOP: u32;
override LEFT: u32;
override SPLIT: u32;
override LEN: u32;

@group(0) @binding(0) var<storage, read> gy: array<lane>;
@group(0) @binding(1) var<storage, read_write> dx: array<lane>;

// The three padded positions that may show pixel `at`; those outside the image, or the same as an earlier one, are
// given as `padded`, which is out of range.
fn images(at: u32, before: u32, len: u32, padded: u32) -> array<u32, 3> {
    let own = at + before;
    var ahead = padded;
    if at > 0u && at <= before {
        ahead = before - at;
    }
    var behind = padded;
    let last = len - 1u;
    if at < last {
        behind = before + 2u * last - at;
    }
    return array<u32, 3>(own, ahead, behind);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    if i >= COUNT {
        return;
    }
    let c = i % C;
    let n = i / (C * W * H);
    var rows = images(i / (C * W) % H, TOP, H, YH);
    var columns = images(i / C % W, LEFT, W, YW);
    var sum = lane(0);
    for (var a = 0u; a < 3u; a += 1u) {
        for (var b = 0u; b < 3u; b += 1u) {
            if rows[a] < YH && columns[b] < YW {
                let at = ((n * YH + rows[a]) * YW + columns[b]) * C + c;
                for (var part = 0u; part < SPLIT; part += 1u) {
                    sum += gy[part * LEN + at];
                }
            }
        }
    }
    dx[i] = sum;
}
