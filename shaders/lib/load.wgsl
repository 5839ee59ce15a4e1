// Lane `at` of an operand: a tensor, or an expression that is computed as it is loaded.
#import lib/leaves

fn load(at: u32) -> lane {
    return ${LOAD};
}
