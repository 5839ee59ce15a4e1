// What one load of a contraction's first operand gives: four channels where XVEC is set, else one number.
#import lib/real
#if XVEC
alias input = real4;
alias stored_input = stored4;
const STEP = 4u;
#else
alias input = real;
alias stored_input = stored;
const STEP = 1u;
#end
