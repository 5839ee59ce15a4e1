// How a contraction that goes straight to storage takes a number or four of its operands: rounded to f16 where MIXED is set.
#import lib/input
#import lib/lane
#if XVEC
alias staged_input = staged4;
#else
alias staged_input = staged;
#end
#if VEC4
alias staged_lane = staged4;
#else
alias staged_lane = staged;
#end

fn to_input(x: stored_input) -> input {
    return input(staged_input(x));
}

fn to_lane(x: stored_lane) -> lane {
    return lane(staged_lane(x));
}
