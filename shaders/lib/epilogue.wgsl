// What a kernel makes of its value before it stores it as lane `at` of its result: an expression fused into it.
#import lib/leaves

fn epilogue(value: lane, at: u32) -> lane {
    return ${EPILOGUE};
}
