// What one load or store moves: four channels where they divide by 4, else one number.
#import lib/real
#if VEC4
alias lane = real4;
alias stored_lane = stored4;
alias lane_bits = vec4<u32>;
const LANE = 4u;
#else
alias lane = real;
alias stored_lane = stored;
alias lane_bits = u32;
const LANE = 1u;
#end
