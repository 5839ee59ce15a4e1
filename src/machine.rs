//! The machine this runs on.

use sysinfo::System;

/// Its memory in MiB, or the share of it that this process may use; none where the system does not say.
pub(crate) fn memory() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let share = system.cgroup_limits().map(|limits| limits.total_memory);
    let all = [Some(system.total_memory()), share];
    all.into_iter().flatten().filter(|bytes| *bytes > 0).min().map(|bytes| bytes >> 20)
}
