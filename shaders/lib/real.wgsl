// The arithmetic type of every kernel, and the type in which contractions find their operands and leave their results.
alias real = f32;
alias real4 = vec4<f32>;
alias real4x4 = mat4x4<f32>;
alias stored = f32;
alias stored4 = vec4<f32>;
