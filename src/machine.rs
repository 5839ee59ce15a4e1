//! The machine this runs on.

use std::env;
use std::path::PathBuf;

/// Its memory in MiB, or the share of it that this process may use; none where the system does not say.
#[cfg(feature = "cli")]
pub(crate) fn memory() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let share = system.cgroup_limits().map(|limits| limits.total_memory);
    let all = [Some(system.total_memory()), share];
    all.into_iter().flatten().filter(|bytes| *bytes > 0).min().map(|bytes| bytes >> 20)
}

/// None: without the feature `cli` the system is not asked.
#[cfg(not(feature = "cli"))]
pub(crate) fn memory() -> Option<u64> {
    None
}

/// Our place in the user's folder for what can be made again; none where there is no such folder.
pub(crate) fn cache() -> Option<PathBuf> {
    let folder = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = match env::consts::OS {
        "windows" => folder("LOCALAPPDATA"),
        "macos" => env::home_dir().map(|home| home.join("Library/Caches")),
        _ => folder("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache"))),
    };
    Some(caches?.join("mewgan"))
}
