// Multiply-adds in registers and nothing else: the rate no kernel of this device can pass.
// Equation: s_c = s_c + f * s_(c+1), the last with the first, ROUNDS * STEPS times for each c; y[i] = sum over c of s_c
// Reference: none; what is computed means nothing, and is only stored so that it has to be computed.
// Layout: y a vector as vec4.
// One invocation: CHAINS sums of vec4s; each is ROUNDS * STEPS multiply-adds that wait for one another.
// Text: CHAINS, STEPS.
// Constants: ROUNDS; with 0, a dispatch of next to nothing.
//
// Every number is known at run time only, and a sum is added to in place, as in the contractions: with constants, some compilers
// spend as many instructions on putting them into registers.
#import lib/real
#import lib/grid

override ROUNDS: u32;

@group(0) @binding(0) var<storage, read_write> y: array<real4>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    let i = invocation(id, workgroups);
    let start = real4(vec4(0u, 1u, 2u, 3u) + vec4(i));
    // Small enough for sums to stay finite.
    let factor = real4(real(1) / real(1000u + workgroups.y));
    var s: array<real4, ${CHAINS}u>;
#for c in CHAINS
    s[${c}] = start + real4(real(${c}));
#end
    for (var round = 0u; round < ROUNDS; round++) {
#for step in STEPS
#for c in CHAINS
        s[${c}] = fma(s[(${c}u + 1u) % ${CHAINS}u], factor, s[${c}]);
#end
#end
    }
    var sum = real4(real(0));
#for c in CHAINS
    sum += s[${c}];
#end
    y[i] = sum;
}
