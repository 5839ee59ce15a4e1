//! The command line: see [`mewgan::cli`].

fn main() -> std::process::ExitCode {
    mewgan::cli::run()
}
