//! The macro `timeit!` and the pieces it shares with `compare!`.
//!
//! Nothing here computes: the macros put loops around the expression and leave the rest to
//! functions.

/// Evaluates an expression many times and says how long once takes: IPython's `%timeit`.
///
/// Prints the result, and gives it back as a [`Sample`](crate::time::Sample):
///
/// ```text
/// 7.24 ms ± 89.3 µs per loop (mean ± std. dev. of 7 runs, 20 loops each)
/// fastest 7.15 ms, median 7.22 ms, slowest 7.41 ms
/// ```
///
/// As in IPython there are 7 runs, of so many loops (1, 2, 5, 10, 20, …) that one run takes 0.1 s
/// or more: for a cheap expression 0.1 to 0.25 s, and all of it some 2 s at most. The first call is
/// not counted; if it was much slower than the others, that is said. What makes a result doubtful
/// is said too: runs that differ much, an expression too fast for the clock, work that the compiler
/// left out.
///
/// Options stand before the expression, in any order:
///
/// | option | meaning |
/// |---|---|
/// | `loops = 1000` | evaluations per run |
/// | `runs = 3` | number of runs |
/// | `quiet` | print nothing |
/// | <code>setup = value, \|name\| …</code> | make a new value for every call, untimed |
///
/// # Setup
///
/// What changes or uses up its input needs a new one for every call: sorting a sorted list measures
/// something else. The expression after `setup = …` is evaluated before every single call, the name
/// between the bars is bound to it, and neither making it nor dropping it is timed. Each call is
/// timed by itself then, so that calls below a microsecond are not measured well.
///
/// ```
/// use parcourse::prelude::*;
/// let numbers = vec![3, 1, 2];
/// timeit!(setup = numbers.clone(), loops = 100, |mut copy| copy.sort());
/// ```
///
/// # What is timed
///
/// The expression with the drop of its value; without it, where there is a setup. Results are kept
/// from the optimiser, so that they are computed. So are the arguments of a plain call `f(a, &b,
/// 3)` and the variable in front of a method `data.iter().sum()`: the compiler cannot compute the
/// result beforehand. Constants inside of other expressions, a block for example, it does know.
///
/// The expression stands in a loop where the macro is: `?` and `return` leave the surrounding
/// function, a variable cannot be moved out of it twice. A loop takes about a nanosecond more than
/// the expression; reading the clock is measured and subtracted (see
/// [`Clock`](crate::time::Clock)). An interrupt is answered between two loops, within 50 ms or one
/// loop.
///
/// # Panics
///
/// When `loops` or `runs` is 0, and when `break` leaves the expression. Unwinds with
/// [`Interrupted`](crate::interrupt::Interrupted) when interrupted.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let numbers: Vec<f64> = (0..1000).map(f64::from).collect();
/// let sample = timeit!(loops = 100, runs = 5, numbers.iter().map(|x| x.sin()).sum::<f64>());
/// println!("{:.1} ns per number", sample.best() / 1e-9 / numbers.len() as f64);
/// ```
///
/// Options are checked:
///
/// ```compile_fail
/// use parcourse::prelude::*;
/// timeit!(number = 3, 1 + 1);
/// ```
///
/// ```compile_fail
/// use parcourse::prelude::*;
/// timeit!(loops = "many", 1 + 1);
/// ```
///
/// One expression, no more; for several there is [`compare!`](crate::compare!):
///
/// ```compile_fail
/// use parcourse::prelude::*;
/// timeit!(1 + 1, 2 + 2);
/// ```
///
/// A loop cannot move the same variable out twice; give it a `setup`:
///
/// ```compile_fail,E0382
/// use parcourse::prelude::*;
/// let words = vec!["computer"];
/// timeit!(quiet, drop(words));
/// ```
#[macro_export]
macro_rules! timeit {
    (@options [$($options:tt)*] [$($setup:tt)*] quiet, $($rest:tt)+) => {
        $crate::timeit!(@options [$($options)* .quiet()] [$($setup)*] $($rest)+)
    };
    (@options [$($options:tt)*] [$($setup:tt)*] loops = $loops:expr, $($rest:tt)+) => {
        $crate::timeit!(@options [$($options)* .loops($loops)] [$($setup)*] $($rest)+)
    };
    (@options [$($options:tt)*] [$($setup:tt)*] runs = $runs:expr, $($rest:tt)+) => {
        $crate::timeit!(@options [$($options)* .runs($runs)] [$($setup)*] $($rest)+)
    };
    (@options [$($options:tt)*] [] setup = $setup:expr, $($rest:tt)+) => {
        $crate::timeit!(@options [$($options)* .setup()] [$setup] $($rest)+)
    };
    (@options [$($options:tt)*] [$($setup:tt)*] $unknown:ident = $value:expr, $($rest:tt)+) => {
        ::std::compile_error!(::std::concat!("unknown option `", ::std::stringify!($unknown), "`: there are `loops`, `runs`, `setup` and `quiet`"))
    };
    (@options [$($options:tt)*] [$setup:expr] | $input:pat_param | $body:expr $(,)?) => {{
        let mut sampler = $crate::time::Sampler::new($($options)*);
        while sampler.next_run() {
            while let ::std::option::Option::Some(_) = sampler.next_batch() {
                let mut input = $setup;
                sampler.start();
                // By reference: opaque without being copied. The clock starts first, so that no
                // work on the input comes before it.
                ::std::hint::black_box(&mut input);
                let $input = input;
                // Kept until the clock has stopped, and the input with it: what they cost to drop
                // is not the expression's.
                let _output = ::std::hint::black_box($body);
                sampler.stop(0..0);
            }
        }
        sampler.finish()
    }};
    (@options [$($options:tt)*] [$setup:expr] $($rest:tt)*) => {
        ::std::compile_error!("after `setup = value` comes what to do with it: `setup = data.clone(), |copy| f(copy)`")
    };
    (@options [$($options:tt)*] [] $($expression:tt)+) => {{
        let mut sampler = $crate::time::Sampler::new($($options)*);
        while sampler.next_run() {
            while let ::std::option::Option::Some(mut batch) = sampler.next_batch() {
                sampler.start();
                for _ in batch.by_ref() {
                    let _ = ::std::hint::black_box($crate::__opaque!($($expression)+));
                }
                sampler.stop(batch);
            }
        }
        sampler.finish()
    }};
    (@ $($rest:tt)*) => {
        ::std::compile_error!("`timeit!` did not understand this: write `timeit!(loops = 3, f(x))`, options before one expression")
    };
    () => {
        ::std::compile_error!("what should be timed? `timeit!(f(x))`")
    };
    ($($all:tt)+) => {
        $crate::timeit!(@options [$crate::time::Options::new()] [] $($all)+)
    };
}

/// An expression whose variables the compiler cannot see through, as far as its form shows them;
/// for the macros only.
#[macro_export]
#[doc(hidden)]
macro_rules! __opaque {
    // f(a, b), path::f::<T>(a, b)
    ($($function:ident)::+ $(::<$($generic:ty),* $(,)?>)? ($($arguments:tt)*) $(,)?) => {
        $crate::__opaque_call!([$($function)::+ $(::<$($generic),*>)?] [] $($arguments)*)
    };
    // data.iter().map(…).sum::<f64>()
    ($receiver:ident $(. $method:ident $(::<$($generic:ty),* $(,)?>)? ($($arguments:tt)*))+ $(,)?) => {{
        ::std::hint::black_box(&$receiver);
        $receiver $(. $method $(::<$($generic),*>)? ($($arguments)*))+
    }};
    ($expression:expr $(,)?) => { $expression };
    ($first:expr, $($rest:tt)+) => {
        ::std::compile_error!("more than one expression: compare them with `compare! { \"first\" => …, \"second\" => … }`")
    };
}

/// A call whose arguments are opaque where they are literals, variables, or references to
/// variables; for the macros only.
#[macro_export]
#[doc(hidden)]
macro_rules! __opaque_call {
    ([$($function:tt)*] [$($done:tt)*]) => { $($function)*($($done)*) };
    ([$($function:tt)*] [$($done:tt)*] $argument:literal $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!([$($function)*] [$($done)* ::std::hint::black_box($argument),] $($($rest)*)?)
    };
    ([$($function:tt)*] [$($done:tt)*] $argument:ident $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!([$($function)*] [$($done)* ::std::hint::black_box($argument),] $($($rest)*)?)
    };
    ([$($function:tt)*] [$($done:tt)*] & $argument:ident $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!([$($function)*] [$($done)* ::std::hint::black_box(&$argument),] $($($rest)*)?)
    };
    ([$($function:tt)*] [$($done:tt)*] &mut $argument:ident $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!([$($function)*] [$($done)* ::std::hint::black_box(&mut $argument),] $($($rest)*)?)
    };
    // Anything else stays as it is: a closure, for one, gets its argument types from the function
    // it is passed to.
    ([$($function:tt)*] [$($done:tt)*] $argument:expr $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!([$($function)*] [$($done)* $argument,] $($($rest)*)?)
    };
}
