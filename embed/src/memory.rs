//! Memory that is free, back to the system.

/// Gives it back. glibc keeps what large blocks left, in a heap of its own for each thread: a
/// long import would take a third more.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: any thread may call it at any time.
    #[allow(unsafe_code)]
    unsafe {
        libc::malloc_trim(0);
    }
}
