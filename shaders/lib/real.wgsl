// The arithmetic type of every kernel.
alias real = f32;
alias real4 = vec4<f32>;
