//! The command line: see [`mewgpu::cli`].

fn main() -> std::process::ExitCode {
    mewgpu::cli::run()
}
