// Lane `at` of ${JOINED}, which a contraction left in SPLIT parts of LEN lanes: their sum, and what is fused behind. It is stored on
// the way; whoever fetches a lane may read it again.
#import lib/leaves

override SPLIT: u32;
override LEN: u32;

@group(0) @binding(${SPLIT_AT}) var<storage, read> split: array<lane>;
@group(0) @binding(${JOINED_AT}) var<storage, read_write> ${JOINED}: array<lane>;

fn fetch(at: u32) -> lane {
    var value = lane(0);
    for (var part = 0u; part < SPLIT; part += 1u) {
        value += split[part * LEN + at];
    }
    let all = ${JOIN};
    ${JOINED}[at] = all;
    return all;
}
