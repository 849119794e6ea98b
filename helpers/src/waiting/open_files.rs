//! How many connections there can be.

/// Raises the limit of open files as far as this user may without asking, and says how many that
/// is.
///
/// Every connection is an open file for the system. Usually a program may have 1024 of them, for
/// reasons of the last century, and half a million when it asks: a thousand requests at once need
/// more than the former. Programs that are started from here inherit the limit. Where the system
/// does not say, this gives 256.
///
/// # Examples
///
/// ```
/// use parcourse::waiting;
/// let most = waiting::open_files();
/// println!("{} connections, both of whose ends are ours", most / 2);
/// assert_eq!(waiting::open_files(), most);
/// ```
pub fn open_files() -> usize {
    // More than this nobody needs, and macOS refuses: there, the limit said to be infinite is a
    // smaller one.
    const ENOUGH: libc::rlim_t = 10_240;
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return 256;
    }
    let before = limit.rlim_cur;
    limit.rlim_cur = before.max(ENOUGH.min(limit.rlim_max));
    // SAFETY: reads a valid limit, which is not above the hard one.
    let raised =
        limit.rlim_cur > before && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } == 0;
    (if raised { limit.rlim_cur } else { before }).try_into().unwrap_or(usize::MAX)
}
