//! The available vector instructions.

use std::fmt;
use std::sync::OnceLock;

/// The vector instructions that expressions use; see [`instruction_set`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum InstructionSet {
    /// What every processor of this architecture has: two numbers at a time. x86-64 has no fused
    /// multiply-add here, so sin, cos, exp and ln are those of std, one by one; AArch64 (NEON) has
    /// it.
    Baseline,
    /// x86-64 since about 2013: four numbers at a time.
    Avx2,
    /// x86-64 of servers since about 2017: eight numbers at a time.
    Avx512,
}

/// The best instruction set of this machine. It is detected once.
///
/// # Examples
///
/// ```
/// use parcourse::expr;
/// println!("{}", expr::instruction_set()); // AVX2: 4 numbers at a time
/// ```
pub fn instruction_set() -> InstructionSet {
    static BEST: OnceLock<InstructionSet> = OnceLock::new();
    *BEST.get_or_init(|| InstructionSet::available().last().expect("there is always the baseline"))
}

impl InstructionSet {
    /// All instruction sets of this machine, the best one last.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn available() -> impl DoubleEndedIterator<Item = InstructionSet> {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 =
            avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
        [
            (true, InstructionSet::Baseline),
            (avx2, InstructionSet::Avx2),
            (avx512, InstructionSet::Avx512),
        ]
        .into_iter()
        .filter_map(|(there, set)| there.then_some(set))
    }

    /// All instruction sets of this machine, the best one last.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn available() -> impl DoubleEndedIterator<Item = InstructionSet> {
        std::iter::once(InstructionSet::Baseline)
    }

    /// How many `f64` an instruction processes.
    pub fn lanes(self) -> usize {
        match self {
            InstructionSet::Baseline => 2,
            InstructionSet::Avx2 => 4,
            InstructionSet::Avx512 => 8,
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = match self {
            InstructionSet::Baseline if cfg!(target_arch = "aarch64") => "NEON",
            InstructionSet::Baseline if cfg!(target_arch = "x86_64") => "SSE2",
            InstructionSet::Baseline => "baseline",
            InstructionSet::Avx2 => "AVX2",
            InstructionSet::Avx512 => "AVX-512",
        };
        write!(f, "{name}: {} numbers at a time", self.lanes())
    }
}

/// Defines a function that does the same in each instruction set: `$body`, an `#[inline(always)]`
/// function whose constant says whether there is a fused multiply-add. Inlined into a function with
/// more instructions, it is compiled with them.
macro_rules! for_each_instruction_set {
    (
        $(#[$doc:meta])*
        fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $body:ident
    ) => {
        $(#[$doc])*
        pub(in crate::expr) fn $name(set: InstructionSet, $($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                $body::<true>($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512dq")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                $body::<true>($($argument),*)
            }

            match set {
                // SAFETY: only `available` makes a value other than `Baseline`, and only if the
                // machine has these instructions.
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx512 => unsafe { avx512($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2 => unsafe { avx2($($argument),*) },
                _ => $body::<{ cfg!(any(target_arch = "aarch64", target_feature = "fma")) }>(
                    $($argument),*
                ),
            }
        }
    };
}
pub(super) use for_each_instruction_set;
