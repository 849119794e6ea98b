//! The signal handler, and the buffers it fills.

use std::cell::UnsafeCell;
use std::os::fd::IntoRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// The part of a stack that is copied. Deeper stacks lose their outer calls.
const STACK: usize = 64 * 1024;
/// Buffers: enough that all threads of a large machine can be sampled once while the collector
/// processes other samples.
const SLOTS: usize = 64;

/// Registers by their DWARF numbers: 0 to 15, and 16 for the instruction pointer.
pub type Registers = [u64; 17];

const DWARF_ORDER: [libc::c_int; 17] = [
    libc::REG_RAX,
    libc::REG_RDX,
    libc::REG_RCX,
    libc::REG_RBX,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_RBP,
    libc::REG_RSP,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
    libc::REG_RIP,
];

const FREE: u8 = 0;
const FILLING: u8 = 1;
const FULL: u8 = 2;

struct Slot {
    state: AtomicU8,
    sample: UnsafeCell<Sample>,
}

struct Sample {
    registers: Registers,
    length: usize,
    stack: [u8; STACK],
}

/// Lives as long as the process: a handler may run at any time.
struct Buffers {
    active: AtomicBool,
    lost: AtomicU64,
    /// `/proc/self/mem`: a read through the kernel stops at the end of the stack's memory instead
    /// of crashing.
    memory: libc::c_int,
    slots: Box<[Slot]>,
}

// SAFETY: whoever changes a slot's state from FREE to FILLING, or finds it FULL and is the one
// collector, owns its sample until they set the next state; everything else is atomic or never
// changes.
unsafe impl Sync for Buffers {}
// SAFETY: nothing in it belongs to a thread.
unsafe impl Send for Buffers {}

static BUFFERS: OnceLock<Buffers> = OnceLock::new();

/// Installs the handler at the first call, and enables sampling.
pub fn start() {
    let buffers = BUFFERS.get_or_init(|| {
        let memory = std::fs::File::open("/proc/self/mem").map_or(-1, IntoRawFd::into_raw_fd);
        // All memory that the handler uses.
        let slot = || Slot {
            state: AtomicU8::new(FREE),
            sample: UnsafeCell::new(Sample { registers: [0; 17], length: 0, stack: [0; STACK] }),
        };
        let slots = (0..SLOTS).map(|_| slot()).collect();
        Buffers { active: AtomicBool::new(false), lost: AtomicU64::new(0), memory, slots }
    });
    install();
    buffers.lost.store(0, Ordering::Relaxed);
    buffers.active.store(true, Ordering::Release);
}

/// Disables sampling. The handler stays: a signal may be on its way, and without a handler it would
/// end the process.
pub fn stop() {
    if let Some(buffers) = BUFFERS.get() {
        buffers.active.store(false, Ordering::Release);
    }
}

/// How many samples found no free buffer.
pub fn lost() -> u64 {
    BUFFERS.get().map_or(0, |buffers| buffers.lost.load(Ordering::Relaxed))
}

/// Passes on the available samples. Only one thread may call it.
pub fn take(mut each: impl FnMut(&Registers, &[u8])) {
    for slot in BUFFERS.get().into_iter().flat_map(|buffers| &buffers.slots) {
        if slot.state.load(Ordering::Acquire) == FULL {
            // SAFETY: a full slot belongs to the collector, which is the caller.
            let sample = unsafe { &*slot.sample.get() };
            each(&sample.registers, &sample.stack[..sample.length]);
            slot.state.store(FREE, Ordering::Release);
        }
    }
}

type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

#[track_caller]
fn install() {
    let handler: Handler = on_sample;
    // SAFETY: all zeros is a valid sigaction. The handler is async-signal-safe (see there) and in a
    // library that is never unloaded while its code can be called: notebooks keep it, programs are
    // linked to it.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPROF, std::ptr::null(), &mut before);
        if before.sa_sigaction == handler as libc::sighandler_t {
            return;
        }
        assert!(
            [libc::SIG_DFL, libc::SIG_IGN].contains(&before.sa_sigaction),
            "another profiler in this program uses SIGPROF"
        );
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        // System calls that the signal interrupts are restarted.
        action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGPROF, &action, std::ptr::null_mut());
    }
}

/// Async-signal-safe: uses only atomics, a buffer of its own and errno, and calls nothing but
/// pread.
extern "C" fn on_sample(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(buffers) = BUFFERS.get().filter(|buffers| buffers.active.load(Ordering::Acquire))
    else {
        return;
    };
    let claim = |slot: &&Slot| {
        slot.state.compare_exchange(FREE, FILLING, Ordering::Acquire, Ordering::Relaxed).is_ok()
    };
    let Some(slot) = buffers.slots.iter().find(claim) else {
        buffers.lost.fetch_add(1, Ordering::Relaxed);
        return;
    };
    // SAFETY: we have just claimed the slot. The kernel passes a ucontext to handlers with
    // SA_SIGINFO. errno exists in every thread; pread writes at most STACK bytes into a buffer of
    // that size, and fails on unmapped memory.
    unsafe {
        let sample = &mut *slot.sample.get();
        let machine = &(*context.cast::<libc::ucontext_t>()).uc_mcontext;
        for (register, index) in sample.registers.iter_mut().zip(DWARF_ORDER) {
            *register = machine.gregs[index as usize] as u64;
        }
        let errno = *libc::__errno_location();
        let start = machine.gregs[libc::REG_RSP as usize];
        let length = libc::pread(buffers.memory, sample.stack.as_mut_ptr().cast(), STACK, start);
        sample.length = usize::try_from(length).unwrap_or(0);
        *libc::__errno_location() = errno;
    }
    slot.state.store(FULL, Ordering::Release);
}
