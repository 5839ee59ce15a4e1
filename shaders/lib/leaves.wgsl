// Tensors that fused expressions read, bound behind the kernel's own (lower/expression.rs).
#import lib/functions

${LEAVES}
