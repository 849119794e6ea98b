//! Expressions against loops: values, shapes, layouts, and the same bits on any number of threads.

use ndarray::{Array, Array1, Array2, Array3, ArrayD, Axis, IxDyn, arr0, s};
use parcourse::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

const BLOCK: usize = 512;
const CHUNK: usize = 16 * BLOCK;

/// Lengths around the edges of groups, blocks and chunks, and around the threshold for threads.
const LENGTHS: [usize; 17] = [
    0,
    1,
    2,
    15,
    31,
    32,
    33,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    2 * BLOCK + 7,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    2 * CHUNK + 1,
    10 * CHUNK + 123,
];

fn on_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

fn numbers(length: usize) -> Array1<f64> {
    let mut rng = streams(3).stream(length as u64);
    Array1::from_shape_simple_fn(length, || rng.random_range(0.1..10.0))
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-11 * b.abs().max(1.0)
}

#[test]
fn expressions_are_what_loops_compute() {
    for length in LENGTHS {
        let (a, b) = (numbers(length), numbers(length + 1).slice(s![1..]).to_owned());
        let (x, y) = (lazy(&a), lazy(&b));
        let expression = (2.0 * x.sin() - y.ln() / 3.0) * x.square()
            + (1.0 - y.sqrt()).abs().exp() / (x * y + 0.5)
            - -x.cos().minimum(y.recip());
        let of_std = |x: f64, y: f64| {
            (2.0 * x.sin() - y.ln() / 3.0) * (x * x) + (1.0 - y.sqrt()).abs().exp() / (x * y + 0.5)
                - -x.cos().min(1.0 / y)
        };
        let expected: Vec<f64> = a.iter().zip(&b).map(|(&x, &y)| of_std(x, y)).collect();
        let array = expression.to_array();
        assert_eq!(array.len(), length);
        assert!(
            array.iter().zip(&expected).all(|(&found, &expected)| is_close(found, expected)),
            "{length} elements"
        );
        let mut assigned = vec![f64::NAN; length];
        expression.assign_to(&mut assigned);
        assert_eq!(array.to_vec(), assigned, "{length} elements");
        assert!(
            is_close(expression.sum(), expected.iter().sum()),
            "{length} elements: {} {}",
            expression.sum(),
            expected.iter().sum::<f64>()
        );
        if length > 0 {
            assert_eq!(expression.min(), array.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(expression.max(), array.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            assert!(is_close(expression.mean(), expected.iter().sum::<f64>() / length as f64));
        }
        let dot: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        assert!((x.dot(y) - dot).abs() < 1e-12 * dot.abs() + 1e-12);
        assert_eq!(x.dot(y), (x * y).sum());
    }
}

#[test]
fn results_have_the_same_bits_on_any_number_of_threads() {
    for length in LENGTHS {
        let a = numbers(length);
        let expression = lazy(&a).sin() * lazy(&a).ln() + 1.0;
        let serial = (expression.serial().sum(), expression.serial().to_array());
        for threads in 1..=8 {
            let parallel = on_threads(threads, || (expression.sum(), expression.to_array()));
            assert_eq!(
                parallel.0.to_bits(),
                serial.0.to_bits(),
                "{length} elements on {threads} threads"
            );
            assert_eq!(parallel.1, serial.1, "{length} elements on {threads} threads");
            let again = on_threads(threads, || expression.sum());
            assert_eq!(
                again.to_bits(),
                serial.0.to_bits(),
                "{length} elements on {threads} threads, again"
            );
        }
    }
}

#[test]
fn large_expressions_use_several_threads_and_serial_ones_do_not() {
    let a = Array1::<f64>::zeros(100 * CHUNK);
    let threads_of = |serial: bool| {
        on_threads(3, || {
            let seen = std::sync::Mutex::new(std::collections::HashSet::new());
            let expression = lazy(&a).map(|x| {
                if x == 0.0 && rayon::current_thread_index().is_some() {
                    seen.lock().unwrap().insert(std::thread::current().id());
                }
                x
            });
            if serial {
                expression.serial().sum()
            } else {
                expression.sum()
            };
            seen.into_inner().unwrap().len()
        })
    };
    assert_eq!(threads_of(true), 1);
    // On a busy machine, one thread may have done everything before another one is awake.
    assert!((0..20).any(|_| threads_of(false) > 1));
}

#[test]
fn views_in_any_layout_are_read_in_the_order_of_rows() {
    for (rows, columns) in [(1, 1), (3, 5), (1, 2000), (2000, 1), (40, 600), (300, 301), (7, 0)] {
        let a = Array::from_shape_fn((rows, columns), |(i, j)| (i * 1000 + j) as f64);
        for view in [
            a.view(),
            a.t(),
            a.slice(s![.., ..;2]),
            a.slice(s![..;-1, ..]),
            a.slice(s![..;3, ..;-2]),
        ] {
            let array = (lazy(view) + 1.0).to_array();
            assert_eq!(array, &view + 1.0);
            // The same bits as from a copy without gaps, and on other threads.
            let sum = lazy(view).sqrt().sum();
            assert_eq!(sum.to_bits(), lazy(&view.as_standard_layout()).sqrt().sum().to_bits());
            assert_eq!(sum.to_bits(), on_threads(3, || lazy(view).sqrt().sum()).to_bits());
        }
    }
    let cube = Array3::from_shape_fn((11, 13, 17), |(i, j, k)| (i * 400 + j * 20 + k) as f64);
    let permuted = cube.view().permuted_axes([2, 0, 1]);
    assert_eq!((lazy(permuted) * 2.0).to_array(), &permuted * 2.0);
    let part = cube.slice(s![1..;3, ..;-1, 2..9]);
    assert_eq!((lazy(part) - lazy(&part.to_owned())).abs().max(), 0.0);
    let dynamic: ArrayD<f64> = cube.clone().into_dyn();
    assert_eq!(lazy(&dynamic).to_array().shape(), [11, 13, 17]);
    assert_eq!(lazy(&ArrayD::<f64>::ones(IxDyn(&[1, 2, 1, 3, 1, 2, 1, 2]))).sum(), 24.0);
    assert_eq!(lazy(&arr0(4.0)).sqrt().to_array(), arr0(2.0));
}

#[test]
fn results_are_written_to_views_in_any_layout() {
    let a = Array::from_shape_fn((211, 307), |(i, j)| (i * 1000 + j) as f64);
    let mut whole = Array2::<f64>::zeros((307, 211));
    (lazy(&a) + 1.0).assign_to(&mut whole.view_mut().reversed_axes());
    assert_eq!(whole.t(), &a + 1.0);

    let mut sparse = Array2::<f64>::zeros((500, 700));
    lazy(&a).assign_to(&mut sparse.slice_mut(s![10..221;1, ..614;-2]));
    assert_eq!(sparse.slice(s![10..221, ..614;-2]), a);
    assert_eq!(sparse.sum(), a.sum());

    let mut slice = [0.0; 3];
    lazy(&[1.0, 2.0, 3.0]).square().assign_to(&mut slice[..]);
    assert_eq!(slice, [1.0, 4.0, 9.0]);
}

#[test]
fn other_numbers_become_floats() {
    assert_eq!((lazy(&[1u8, 2, 255]) + 0.5).to_array(), array![1.5, 2.5, 255.5]);
    assert_eq!(lazy(&vec![i64::MIN, 0]).sum(), -9223372036854775808.0);
    let singles = Array2::from_shape_fn((100, 30), |(i, j)| (i + j) as f32 / 4.0);
    assert_eq!(lazy(&singles).sum(), lazy(&singles.mapv(f64::from)).sum());
    assert_eq!(lazy(singles.t()).max(), 32.0);
}

#[test]
fn numbers_are_broadcast_and_arrays_only_by_hand() {
    let row = array![1.0, 2.0, 3.0];
    let matrix = Array2::<f64>::ones((2, 3));
    let sum = lazy(&matrix) + lazy(row.broadcast((2, 3)).unwrap());
    assert_eq!(sum.to_array(), array![[2.0, 3.0, 4.0], [2.0, 3.0, 4.0]]);
    assert_eq!(sum.sum(), 18.0);
}

fn message_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it should panic");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()))
        .unwrap()
}

#[test]
fn shapes_that_do_not_fit_are_refused_with_both() {
    let (a, b) = (Array2::<f64>::ones((3, 4)), Array2::<f64>::ones((4, 3)));
    let expected = "all arrays of an expression must have the same shape, not (3, 4) and (4, 3)";
    assert_eq!(message_of(|| _ = lazy(&a) + lazy(&b)), expected);
    assert_eq!(message_of(|| _ = lazy(&a).maximum(lazy(&b))), expected);
    assert_eq!(message_of(|| _ = lazy(&a).dot(lazy(&b))), expected);
    assert_eq!(message_of(|| lazy(&a).assign_to(&mut b.clone())), expected);
    assert!(message_of(|| _ = lazy(&[1.0]) - lazy(&[1.0, 2.0])).ends_with("not (1,) and (2,)"));
    assert!(message_of(|| _ = lazy(&Vec::<f64>::new()).min()).contains("no elements"));
}

#[test]
fn of_nothing_the_sum_is_zero() {
    let nothing = Array2::<f64>::zeros((0, 5));
    assert_eq!(lazy(&nothing).exp().sum(), 0.0);
    assert!(lazy(&nothing).mean().is_nan());
    assert_eq!(lazy(&nothing).to_array().shape(), [0, 5]);
}

#[test]
fn nan_is_not_lost() {
    for length in [1, 40, 600, 3 * CHUNK] {
        for place in [0, length / 2, length - 1] {
            let mut a = numbers(length);
            a[place] = f64::NAN;
            assert!(
                lazy(&a).min().is_nan() && lazy(&a).max().is_nan() && lazy(&a).sum().is_nan(),
                "{length} {place}"
            );
            a[place] = f64::INFINITY;
            assert_eq!((lazy(&a).max(), lazy(&a).sum()), (f64::INFINITY, f64::INFINITY));
        }
    }
}

/// The harmonic numbers, to more digits than a float has.
#[test]
fn sums_are_accurate() {
    // H(10⁷) = ln n + γ + 1/2n - 1/12n² + …
    let harmonic = 16.695_311_365_859_85;
    let a = Array1::range(1.0, 1e7 + 1.0, 1.0);
    assert!((lazy(&a).recip().sum() - harmonic).abs() < 1e-14 * 16.0);
    assert_eq!(
        (1..10_000_001).into_par_iter().map(|n| 1.0 / f64::from(n)).reproducible_sum(),
        harmonic
    );
    let tenths = vec![0.1; 10_000_000];
    assert!((lazy(&tenths).sum() - 1e6).abs() < 1e-8);
    assert_eq!(tenths.par_iter().copied().reproducible_sum(), 1e6);
}

#[test]
fn reproducible_sums_do_not_depend_on_the_threads() {
    for length in [0, 1, 2, 1023, 1024, 1025, 100_000] {
        let a = numbers(length).to_vec();
        let serial = on_threads(1, || a.par_iter().map(|x| x.sin()).reproducible_sum());
        assert!(is_close(serial, a.iter().map(|x| x.sin()).sum()));
        for threads in 2..=8 {
            let items = a.par_iter().map(|x| x.sin());
            assert_eq!(
                on_threads(threads, || items.reproducible_sum()).to_bits(),
                serial.to_bits(),
                "{length} on {threads}"
            );
            let shortened = a.par_iter().with_min_len(100).with_max_len(1000).map(|x| x.sin());
            assert_eq!(
                on_threads(threads, || shortened.reproducible_sum()).to_bits(),
                serial.to_bits(),
                "{length} on {threads}"
            );
        }
    }
    let infinite = [1.0, f64::INFINITY, 2.0];
    assert_eq!(infinite.par_iter().copied().reproducible_sum(), f64::INFINITY);
    assert!([1.0, f64::NAN].par_iter().copied().reproducible_sum().is_nan());
    assert_eq!([1e16, 1.0, -1e16].into_par_iter().reproducible_sum(), 1.0);
}

#[test]
fn expressions_say_what_they_are() {
    let a = Array2::<f64>::zeros((2, 3));
    assert_eq!(format!("{:?}", lazy(&a).sin()), "an expression of shape (2, 3), not computed yet");
    assert_eq!(lazy(&a).shape(), [2, 3]);
    assert_eq!(lazy(a.index_axis(Axis(0), 1)).len(), 3);
}
