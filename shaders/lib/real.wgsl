// The arithmetic type of every kernel, and the type in which contractions find their operands and leave their results.
// `mewgan gradcheck` runs the kernels with f64 in its place (src/gpu/double.rs). Text: MIXED: contractions round their operands to
// f16, and keep them so while they are in workgroup memory.
#if SIZE
enable wgpu_cooperative_matrix;
#end
#if MIXED
enable f16;
#end
alias real = f32;
alias real4 = vec4<f32>;
alias real4x4 = mat4x4<f32>;
alias stored = f32;
alias stored4 = vec4<f32>;
#if MIXED
alias staged = f16;
alias staged4 = vec4<f16>;
#else
alias staged = real;
alias staged4 = real4;
#end
