// The arithmetic type of every kernel, and the type in which contractions find their operands and leave their results.
// `mewgan gradcheck` runs the kernels with f64 in its place (src/gpu/double.rs).
alias real = f32;
alias real4 = vec4<f32>;
alias real4x4 = mat4x4<f32>;
alias stored = f32;
alias stored4 = vec4<f32>;
