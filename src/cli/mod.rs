//! The command line: flags in, library calls, a few lines out.

pub mod op;
