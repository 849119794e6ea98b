//! A lock between processes that survives their death.

use super::element::Plain;
use super::memory::Mapping;
use crate::interrupt::{self, POLL_INTERVAL};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use std::{error, fmt, io};

/// Plain data that one process, or thread, may use at a time: `std::sync::Mutex` for processes,
/// Python's `multiprocessing.Lock`.
///
/// Processes forked after it was made have it. It guards numbers, and arrays and tuples of numbers
/// ([`Plain`]). If a process is killed or panics while it holds the lock, the next `lock` returns
/// an error: the guarded value may be half changed. A clone is another handle to the same lock.
///
/// (Only Linux reports that a process was killed; on other systems the lock stays locked.) Locking
/// a free lock costs about 50 ns. Takes a page of memory.
///
/// # Examples
///
/// ```
/// use parcourse::processes::{self, SharedMutex};
/// let lowest_and_highest = SharedMutex::new((i32::MAX, i32::MIN));
/// processes::Pool::new(3).map(
///     |&number| {
///         let mut pair = lowest_and_highest.lock().unwrap();
///         *pair = (pair.0.min(number), pair.1.max(number));
///     },
///     &[5, 8, 1, 4],
/// );
/// assert_eq!(*lowest_and_highest.lock().unwrap(), (1, 8));
/// ```
pub struct SharedMutex<T: Plain> {
    memory: Arc<Memory>,
    value: PhantomData<T>,
}

/// The memory of the lock and its value; frees it.
struct Memory(ManuallyDrop<Mapping>);

#[repr(C)]
struct Inner<T> {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    /// The process that holds it.
    holder: AtomicU32,
    /// The process that held it when something went wrong; 0 if nothing did.
    poisoned_by: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is accessed only with the lock, and is `Send`.
unsafe impl<T: Plain> Send for SharedMutex<T> {}
// SAFETY: as above.
unsafe impl<T: Plain> Sync for SharedMutex<T> {}

impl<T: Plain> SharedMutex<T> {
    /// A lock around a value, shared with processes forked from now on.
    ///
    /// # Panics
    ///
    /// If the system does not provide the memory.
    #[track_caller]
    pub fn new(value: T) -> SharedMutex<T> {
        const { assert!(align_of::<Inner<T>>() <= 4096) }
        match Mapping::anonymous(size_of::<Inner<T>>()).and_then(|memory| initialise(memory, value))
        {
            Ok(memory) => SharedMutex {
                memory: Arc::new(Memory(ManuallyDrop::new(memory))),
                value: PhantomData,
            },
            Err(error) => panic!("failed to make a shared lock: {error}"),
        }
    }

    /// Waits until the lock is free, and holds it until the guard is dropped.
    ///
    /// # Errors
    ///
    /// If a process was killed or panicked while it held the lock. The error contains the guard:
    /// look at the value, repair it, and go on ([`Poisoned::into_inner`]).
    ///
    /// # Panics
    ///
    /// If this thread holds the lock already: it would wait for itself. Unwinds when interrupted
    /// (see [`interrupt`]).
    #[track_caller]
    pub fn lock(&self) -> Result<SharedMutexGuard<'_, T>, Poisoned<'_, T>> {
        match self.take() {
            Taken::Busy => {}
            taken => return self.guard(taken),
        }
        interrupt::scope(|| {
            loop {
                interrupt::check();
                match self.take_within(POLL_INTERVAL) {
                    Taken::Busy => {}
                    taken => return self.guard(taken),
                }
            }
        })
    }

    /// Locks if the lock is free.
    ///
    /// # Errors
    ///
    /// As for [`lock`](Self::lock).
    #[track_caller]
    pub fn try_lock(&self) -> Option<Result<SharedMutexGuard<'_, T>, Poisoned<'_, T>>> {
        match self.take() {
            Taken::Busy => None,
            taken => Some(self.guard(taken)),
        }
    }

    fn inner(&self) -> &Inner<T> {
        // SAFETY: `initialise` has written it, the memory lives as long as `self`, and is never
        // borrowed exclusively.
        unsafe { self.memory.0.start().cast().as_ref() }
    }

    fn take(&self) -> Taken {
        // SAFETY: the mutex is initialised and stays where it is.
        Taken::from(unsafe { libc::pthread_mutex_trylock(self.inner().mutex.get()) })
    }

    #[cfg(target_os = "linux")]
    fn take_within(&self, time: Duration) -> Taken {
        let mut until = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `until` is valid for the answer.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &mut until) };
        let nanoseconds = until.tv_nsec as u64 + u64::from(time.subsec_nanos());
        until.tv_sec +=
            time.as_secs() as libc::time_t + (nanoseconds / 1_000_000_000) as libc::time_t;
        until.tv_nsec = (nanoseconds % 1_000_000_000) as _;
        // SAFETY: as in `take`; `until` is a valid time.
        Taken::from(unsafe { libc::pthread_mutex_timedlock(self.inner().mutex.get(), &until) })
    }

    /// Polls, because there is no call with a timeout.
    #[cfg(not(target_os = "linux"))]
    fn take_within(&self, time: Duration) -> Taken {
        std::thread::sleep(time.min(Duration::from_micros(200)));
        self.take()
    }

    #[track_caller]
    fn guard(&self, taken: Taken) -> Result<SharedMutexGuard<'_, T>, Poisoned<'_, T>> {
        let inner = self.inner();
        match taken {
            Taken::Ours => {}
            Taken::HolderDied => {
                inner.poisoned_by.store(inner.holder.load(Relaxed).max(1), Relaxed);
                #[cfg(target_os = "linux")]
                // SAFETY: this thread holds the mutex, and the previous holder has died: that is
                // what the call is for.
                unsafe {
                    libc::pthread_mutex_consistent(inner.mutex.get())
                };
            }
            Taken::Busy => unreachable!("looked at before"),
            Taken::Failed(libc::EDEADLK) => {
                panic!("this thread has the lock already, and would wait for itself")
            }
            Taken::Failed(error) => {
                panic!("failed to take a shared lock: {}", io::Error::from_raw_os_error(error))
            }
        }
        inner.holder.store(std::process::id(), Relaxed);
        let guard = SharedMutexGuard {
            mutex: self,
            panicking: std::thread::panicking(),
            of_this_thread: PhantomData,
        };
        match inner.poisoned_by.load(Relaxed) {
            0 => Ok(guard),
            pid => Err(Poisoned { guard, pid }),
        }
    }
}

/// The result of an attempt to lock.
enum Taken {
    Ours,
    /// Ours, after the process that held it has died.
    HolderDied,
    Busy,
    Failed(libc::c_int),
}

impl From<libc::c_int> for Taken {
    fn from(code: libc::c_int) -> Taken {
        match code {
            0 => Taken::Ours,
            libc::EOWNERDEAD => Taken::HolderDied,
            // A signal may end the wait on some systems.
            libc::EBUSY | libc::ETIMEDOUT | libc::EINTR => Taken::Busy,
            error => Taken::Failed(error),
        }
    }
}

/// Writes the lock and its value into new memory.
fn initialise<T: Plain>(memory: Mapping, value: T) -> io::Result<Mapping> {
    let check = |code| if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) };
    let inner: NonNull<Inner<T>> = memory.start().cast();
    // SAFETY: the memory is new, large enough, aligned to a page and all zeros, which is valid for
    // a mutex (not initialised yet) and the counters. The attributes are initialised before they
    // are used, and destroyed once.
    unsafe {
        inner.as_ref().value.get().write(value);
        let mut attributes: libc::pthread_mutexattr_t = std::mem::zeroed();
        check(libc::pthread_mutexattr_init(&mut attributes))?;
        let result = check(libc::pthread_mutexattr_setpshared(
            &mut attributes,
            libc::PTHREAD_PROCESS_SHARED,
        ))
        .and_then(|()| {
            check(libc::pthread_mutexattr_settype(&mut attributes, libc::PTHREAD_MUTEX_ERRORCHECK))
        });
        #[cfg(target_os = "linux")]
        let result = result.and_then(|()| {
            check(libc::pthread_mutexattr_setrobust(&mut attributes, libc::PTHREAD_MUTEX_ROBUST))
        });
        let result = result.and_then(|()| {
            check(libc::pthread_mutex_init(inner.as_ref().mutex.get(), &attributes))
        });
        libc::pthread_mutexattr_destroy(&mut attributes);
        result.map(|()| memory)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mutex: *mut libc::pthread_mutex_t = self.0.start().as_ptr().cast();
        // A leaked guard leaves its mutex in a list that the system walks when the thread ends:
        // then the memory has to stay. SAFETY: the mutex is the first field of `Inner`, and
        // initialised.
        match unsafe { libc::pthread_mutex_trylock(mutex) } {
            // SAFETY: this thread has just locked it, and the memory is not used after this.
            0 | libc::EOWNERDEAD => unsafe {
                libc::pthread_mutex_unlock(mutex);
                ManuallyDrop::drop(&mut self.0);
            },
            // Or another process holds it. It is only a page.
            _ => {}
        }
    }
}

/// Another handle to the same lock.
impl<T: Plain> Clone for SharedMutex<T> {
    fn clone(&self) -> SharedMutex<T> {
        SharedMutex { memory: self.memory.clone(), value: PhantomData }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for SharedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("SharedMutex");
        match self.take() {
            Taken::Busy | Taken::Failed(_) => {
                text.field("value", &format_args!("(locked)")).finish()
            }
            taken => match self.guard(taken) {
                Ok(guard) => text.field("value", &*guard).finish(),
                Err(poisoned) => text
                    .field("value", &*poisoned.guard)
                    .field("poisoned_by", &poisoned.pid)
                    .finish(),
            },
        }
    }
}

/// Access to the value of a [`SharedMutex`]; dropping it unlocks.
#[must_use = "the lock is given back at once when the guard is not kept"]
pub struct SharedMutexGuard<'mutex, T: Plain> {
    mutex: &'mutex SharedMutex<T>,
    /// Whether the thread was already panicking when it locked.
    panicking: bool,
    /// Only the thread that locked it may unlock it.
    of_this_thread: PhantomData<*const ()>,
}

impl<T: Plain> Deref for SharedMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this thread holds the lock.
        unsafe { &*self.mutex.inner().value.get() }
    }
}

impl<T: Plain> DerefMut for SharedMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this thread holds the lock, and the guard is borrowed exclusively.
        unsafe { &mut *self.mutex.inner().value.get() }
    }
}

impl<T: Plain> Drop for SharedMutexGuard<'_, T> {
    fn drop(&mut self) {
        let inner = self.mutex.inner();
        if !self.panicking && std::thread::panicking() {
            inner.poisoned_by.store(std::process::id(), Relaxed);
        }
        // Fails harmlessly in a process that was forked while its parent held the lock: it still
        // belongs to the parent. SAFETY: the mutex is initialised.
        unsafe { libc::pthread_mutex_unlock(inner.mutex.get()) };
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for SharedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A process was killed or panicked while it held the lock: the guarded value may be half changed.
pub struct Poisoned<'mutex, T: Plain> {
    guard: SharedMutexGuard<'mutex, T>,
    pid: u32,
}

impl<'mutex, T: Plain> Poisoned<'mutex, T> {
    /// The guard. From now on the lock counts as sound: the caller repairs the value.
    pub fn into_inner(self) -> SharedMutexGuard<'mutex, T> {
        self.guard.mutex.inner().poisoned_by.store(0, Relaxed);
        self.guard
    }

    /// The process that died or panicked.
    pub fn pid(&self) -> u32 {
        self.pid
    }
}

impl<T: Plain> fmt::Display for Poisoned<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "process {} died or panicked while it held the lock: what the lock guards may be \
             half changed",
            self.pid
        )
    }
}

/// Formats the same text, because `unwrap` shows it.
impl<T: Plain> fmt::Debug for Poisoned<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Plain> error::Error for Poisoned<'_, T> {}
