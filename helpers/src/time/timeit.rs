//! The macro `timeit!` and the pieces it shares with `compare!`.
//!
//! Nothing here computes: the macros put loops around the expression and leave the rest to
//! functions.

/// Evaluates an expression many times and reports the time per call: IPython's `%timeit`.
///
/// Prints the result and returns it as a [`Sample`](crate::time::Sample):
///
/// ```text
/// 7.24 ms ± 89.3 µs per loop (mean ± std. dev. of 7 runs, 20 loops each)
/// fastest 7.15 ms, median 7.22 ms, slowest 7.41 ms
/// ```
///
/// As in IPython, there are 7 runs. The number of loops per run (1, 2, 5, 10, 20, …) is the first
/// with which one run takes at least 0.1 s: a run of a cheap expression takes 0.1 to 0.25 s,
/// everything together about 2 s. The first call is not counted; if it was much slower than the
/// others, the output says so. It also warns about doubtful results: runs that differ much, an
/// expression too fast for the clock, work that the compiler removed.
///
/// Options go before the expression, in any order:
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
/// If the expression modifies or consumes its input, it needs a new one for every call: sorting a
/// sorted list measures something else. The expression after `setup = …` is evaluated before every
/// call, its value is bound to the name between the bars, and neither creating nor dropping it is
/// timed. Each call is then timed on its own, so calls below a microsecond are not measured well.
///
/// ```
/// use parcourse::prelude::*;
/// let numbers = vec![3, 1, 2];
/// timeit!(setup = numbers.clone(), loops = 100, |mut copy| copy.sort());
/// ```
///
/// # What is timed
///
/// The expression, including the drop of its value; with a setup, without the drop. Results are
/// kept from the optimiser, so they are computed. So are the arguments of a plain call `f(a, &b,
/// 3)` and the receiver of method calls `data.iter().sum()`: the compiler cannot compute the result
/// beforehand. It does know constants inside other expressions, such as a block.
///
/// The expression is in a loop at the place of the macro: `?` and `return` leave the surrounding
/// function, and a variable cannot be moved out of it twice. A loop takes about a nanosecond longer
/// than the expression; the time to read the clock is measured and subtracted (see
/// [`Clock`](crate::time::Clock)). Interrupts are handled between two loops, within 50 ms or one
/// loop.
///
/// # Panics
///
/// Panics if `loops` or `runs` is 0, or if `break` leaves the expression. Unwinds with
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
/// It takes a single expression; for several, use [`compare!`](crate::compare!):
///
/// ```compile_fail
/// use parcourse::prelude::*;
/// timeit!(1 + 1, 2 + 2);
/// ```
///
/// A loop cannot move the same variable out twice; use `setup`:
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
        ::std::compile_error!(::std::concat!(
            "unknown option `",
            ::std::stringify!($unknown),
            "`: there are `loops`, `runs`, `setup` and `quiet`"
        ))
    };
    (@options [$($options:tt)*] [$setup:expr] | $input:pat_param | $body:expr $(,)?) => {{
        let mut sampler = $crate::time::Sampler::new($($options)*);
        while sampler.next_run() {
            while let ::std::option::Option::Some(_) = sampler.next_batch() {
                let mut input = $setup;
                sampler.start();
                // By reference: opaque without a copy. The clock starts first, so that no work on
                // the input comes before it.
                ::std::hint::black_box(&mut input);
                let $input = input;
                // Kept until the clock has stopped, like the input: dropping them is not part of
                // the expression.
                let _output = ::std::hint::black_box($body);
                sampler.stop(0..0);
            }
        }
        sampler.finish()
    }};
    (@options [$($options:tt)*] [$setup:expr] $($rest:tt)*) => {
        ::std::compile_error!(
            "after `setup = value` comes what to do with it: \
             `setup = data.clone(), |copy| f(copy)`"
        )
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
        ::std::compile_error!(
            "`timeit!` did not understand this: \
             write `timeit!(loops = 3, f(x))`, options before one expression"
        )
    };
    () => {
        ::std::compile_error!("what should be timed? `timeit!(f(x))`")
    };
    ($($all:tt)+) => {
        $crate::timeit!(@options [$crate::time::Options::new()] [] $($all)+)
    };
}

/// Makes the variables of an expression opaque to the compiler, as far as the form of the
/// expression reveals them; for the macros only.
#[macro_export]
#[doc(hidden)]
macro_rules! __opaque {
    // f(a, b), path::f::<T>(a, b)
    ($($function:ident)::+ $(::<$($generic:ty),* $(,)?>)? ($($arguments:tt)*) $(,)?) => {
        $crate::__opaque_call!([$($function)::+ $(::<$($generic),*>)?] [] $($arguments)*)
    };
    // data.iter().map(…).sum::<f64>()
    ($receiver:ident $(. $method:ident $(::<$($generic:ty),* $(,)?>)? ($($arguments:tt)*))+
        $(,)?) => {{
        ::std::hint::black_box(&$receiver);
        $receiver $(. $method $(::<$($generic),*>)? ($($arguments)*))+
    }};
    ($expression:expr $(,)?) => { $expression };
    ($first:expr, $($rest:tt)+) => {
        ::std::compile_error!(
            "more than one expression: \
             compare them with `compare! { \"first\" => …, \"second\" => … }`"
        )
    };
}

/// A call whose arguments are opaque if they are literals, variables, or references to variables;
/// for the macros only.
#[macro_export]
#[doc(hidden)]
macro_rules! __opaque_call {
    ([$($function:tt)*] [$($done:tt)*]) => { $($function)*($($done)*) };
    ([$($function:tt)*] [$($done:tt)*] $argument:literal $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!(
            [$($function)*] [$($done)* ::std::hint::black_box($argument),] $($($rest)*)?
        )
    };
    ([$($function:tt)*] [$($done:tt)*] $argument:ident $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!(
            [$($function)*] [$($done)* ::std::hint::black_box($argument),] $($($rest)*)?
        )
    };
    ([$($function:tt)*] [$($done:tt)*] & $argument:ident $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!(
            [$($function)*] [$($done)* ::std::hint::black_box(&$argument),] $($($rest)*)?
        )
    };
    ([$($function:tt)*] [$($done:tt)*] &mut $argument:ident $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!(
            [$($function)*] [$($done)* ::std::hint::black_box(&mut $argument),] $($($rest)*)?
        )
    };
    // Anything else stays as it is: a closure, for example, gets its argument types from the
    // function it is passed to.
    ([$($function:tt)*] [$($done:tt)*] $argument:expr $(, $($rest:tt)*)?) => {
        $crate::__opaque_call!([$($function)*] [$($done)* $argument,] $($($rest)*)?)
    };
}
