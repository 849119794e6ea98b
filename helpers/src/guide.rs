//! If you come from NumPy, numba or dask: what to type instead. (Nothing to call here, only to
//! read.)
//!
//! The tests compile and run every example below.
//!
//! # Three differences to know first
//!
//! **A loop is fast.** In Python you must hide the inner loop in a library. Here a loop, an
//! iterator and an array expression are all compiled; the array expression is often the slowest,
//! because it writes its intermediate results to memory.
//!
//! **Values have one owner.** `let b = a;` *moves* a vector: `a` is gone. `&a` lends it for
//! reading; `&mut a` lends it for changing; `a.clone()` copies it. That is why functions here take
//! `&items`, and why array arithmetic is written `&a + &b`.
//!
//! **Threads share memory, and the compiler checks how.** There is no GIL: threads compute at the
//! same time and nothing is pickled. Nothing that several threads can see may change, unless it is
//! behind a `Mutex` or atomic; a data race does not compile.
//!
//! ```compile_fail,E0594
//! use parcourse::prelude::*;
//! let mut sum = 0;
//! // Does not compile: all threads would change `sum`.
//! (0..100).into_par_iter().for_each(|i| sum += i);
//! ```
//!
//! # Python itself
//!
//! | Python | Rust |
//! |---|---|
//! | `len(a)`, `a[-1]`, `a[2:5]` | `a.len()`, `a[a.len() - 1]`, `&a[2..5]` |
//! | `range(n)`, `range(0, n, 2)` | `0..n`, `(0..n).step_by(2)` |
//! | `[f(x) for x in a if x > 0]` | `a.iter().filter(\|x\| **x > 0.0).map(f).collect::<Vec<_>>()` |
//! | `sum(a)`, `max(a)` | `a.iter().sum::<f64>()`, `a.iter().copied().fold(f64::MIN, f64::max)` |
//! | `enumerate(a)`, `zip(a, b)` | `a.iter().enumerate()`, `a.iter().zip(&b)` |
//! | `dict`, `set` | `HashMap`, `HashSet` of `std::collections` |
//! | `x ** 2`, `math.sqrt(x)` | `x.powi(2)`, `x.sqrt()` |
//! | `7 // 2`, `7 / 2` | `7 / 2`, `7 as f64 / 2.0` |
//! | `None`, exceptions | `Option`, `Result` and `?` |
//!
//! # NumPy: the crate [`ndarray`]
//!
//! | NumPy | Rust |
//! |---|---|
//! | `np.array([[1., 2.], [3., 4.]])` | `array![[1.0, 2.0], [3.0, 4.0]]` |
//! | `np.zeros((3, 4))`, `np.ones(n)` | `Array2::zeros((3, 4))`, `Array1::ones(n)` |
//! | `np.arange(0., 1., 0.1)`, `np.linspace(0, 1, 11)` | `Array1::range(0.0, 1.0, 0.1)`, `Array1::linspace(0.0, 1.0, 11)` |
//! | `a.shape`, `a.reshape(2, 6)`, `a.T` | `a.shape()`, `a.to_shape((2, 6))`, `a.t()` |
//! | `a[1, 2]`, `a[1]`, `a[:, 2]` | `a[[1, 2]]`, `a.row(1)`, `a.column(2)` |
//! | `a[1:3, ::2]` | `a.slice(s![1..3, ..;2])` |
//! | `a + b`, `a * 2` | `&a + &b`, `&a * 2.0` |
//! | `np.exp(a)`, `np.where(a > 0, a, 0)` | `a.exp()`, `a.mapv(\|x\| if x > 0.0 { x } else { 0.0 })` |
//! | `a @ b` | `a.dot(&b)` |
//! | `a.sum()`, `a.mean()`, `a.sum(axis=0)` | `a.sum()`, `a.mean()`, `a.sum_axis(Axis(0))` |
//! | `numexpr.evaluate("a * b", out=out)`, no temporaries | `azip!((out in &mut out, &a in &a, &b in &b) *out = a * b)` |
//! | `numexpr.evaluate("sum(sin(a) * log(a))")`, all cores | `(lazy(&a).sin() * lazy(&a).ln()).sum()` |
//!
//! ```
//! use parcourse::prelude::*;
//! let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
//! assert_eq!(a.shape(), [2, 3]);
//! assert_eq!(a[[1, 2]], 6.0);
//! assert_eq!(a.column(2), array![3.0, 6.0]);
//! assert_eq!(a.slice(s![.., ..;2]), array![[1.0, 3.0], [4.0, 6.0]]);
//! assert_eq!(&a + &a, &a * 2.0);
//! assert_eq!(a.dot(&a.t()), array![[14.0, 32.0], [32.0, 77.0]]);
//! assert_eq!(a.sum_axis(Axis(0)), array![5.0, 7.0, 9.0]);
//! assert_eq!(a.mean(), Some(3.5)); // of no numbers there is no mean: None
//! let mut product = Array2::zeros((2, 3));
//! azip!((product in &mut product, &x in &a) *product = x * x);
//! assert_eq!(product, &a * &a);
//! ```
//!
//! Shapes that do not match panic, as they raise in NumPy. `a + b` without `&` consumes both
//! arrays, and reuses the memory of `a` for the result.
//!
//! # Random numbers: [`random`](crate::random)
//!
//! | NumPy | Rust |
//! |---|---|
//! | `rng = np.random.default_rng(42)` | `let mut rng = streams(42).stream(0);` |
//! | `rng.random()`, `rng.integers(1, 7)` | `rng.random::<f64>()`, `rng.random_range(1..7)` |
//! | `rng.random(n)` | `Array1::from_shape_simple_fn(n, \|\| rng.random::<f64>())` |
//! | `SeedSequence(42).spawn(tasks)` | `streams(42).par_iter(tasks)` |
//!
//! # numba, multiprocessing: [`rayon`], [`threads`](crate::threads) and [`processes`](crate::processes)
//!
//! | Python | Rust |
//! |---|---|
//! | `@njit` | every function is compiled |
//! | `@njit(parallel=True)`, `for i in prange(n)` | `(0..n).into_par_iter().for_each(…)` |
//! | a reduction in a `prange` loop | `.map(…).sum()`, `.reduce(…)` |
//! | the same sum on any number of cores | `.map(…).reproducible_sum()` |
//! | `@vectorize(target="parallel")` | `lazy(&a).sqrt().to_array()`, and `.map(f)` for any `f` ([`expr`](crate::expr)) |
//! | `a[i] = …` in a `prange` loop | `a.par_iter_mut().for_each(\|x\| …)`, `a.par_mapv_inplace(…)` |
//! | `numba.set_num_threads(4)` | `threads::with_num_threads(4, \|\| …)` |
//! | `with Pool(3) as pool: pool.map(f, items)` | `Pool::new(3).map(f, &items)` |
//! | `pool.starmap(pow, [(2, 5), (3, 2)])` | `pool.starmap(u64::pow, &[(2, 5), (3, 2)])` |
//! | `pool.imap_unordered(f, items)` | `pool.imap_unordered(f, items)` |
//! | `future = executor.submit(f)`, `future.result()` | `let future = pool.submit(f);`, `future.get()` |
//! | `multiprocessing.Pool(3).map(f, items)`, in processes | `processes::Pool::new(3).map(f, &items)` |
//! | `ProcessPoolExecutor(3).map(f, items)` | `processes::PersistentPool::new(3).map(f, &items)` |
//! | `multiprocessing.Array("d", n)`, `SharedMemory(name="x")` | `SharedArray::<f64>::zeros(n)`, `SharedArray::<f64>::attach("x")` |
//! | `multiprocessing.Value("i", 0)`, `multiprocessing.Lock()` | `SharedCounter::new(0)`, `SharedMutex::new(…)` |
//! | `multiprocessing.Queue()`, `multiprocessing.Pipe()` | `Queue::new()`, `pipe()` |
//! | `os.cpu_count()`, `len(os.sched_getaffinity(0))` | `cores().logical`, `cores().usable` |
//!
//! ```
//! use parcourse::prelude::*;
//! let a: Vec<f64> = (0..10_000).map(f64::from).collect();
//! let serial: f64 = a.iter().map(|x| x.sqrt()).sum();
//! let parallel: f64 = a.par_iter().map(|x| x.sqrt()).sum();
//! // Sums of floats in another order differ in the last digits.
//! assert!((serial - parallel).abs() < 1e-6);
//!
//! assert_eq!(lazy(&a).sqrt().sum(), lazy(&a).sqrt().serial().sum()); // these do not
//!
//! let mut squares = Array1::from(a);
//! squares.par_mapv_inplace(|x| x * x);
//! assert_eq!(squares[100], 10_000.0);
//!
//! let pool = Pool::new(2);
//! let later = pool.submit(|| 6 * 7);
//! assert_eq!(pool.starmap(u64::pow, &[(2, 5), (3, 2)]), [32, 9]);
//! assert_eq!(later.get(), 42);
//! assert_eq!(processes::Pool::new(2).map(|x| x * x, &[1, 2, 3]), [1, 4, 9]);
//!
//! use parcourse::processes::{Queue, SharedArray};
//! let (shared, queue) = (SharedArray::<f64>::zeros(2), Queue::new());
//! processes::Pool::new(2).map(|i| (shared.add(0, 0.5), queue.put(i * i)).0, &[3, 3]);
//! assert_eq!((shared.get(0), queue.get(), queue.get()), (1.0, 9, 9));
//! assert_eq!(threads::with_num_threads(4, rayon::current_num_threads), 4);
//! ```
//!
//! # asyncio: [`asynchronous`](crate::asynchronous) and [`tokio`]
//!
//! | Python | Rust |
//! |---|---|
//! | `async def f(x): …`, `await f(x)` | `async fn f(x: u32) -> u32 { … }`, `f(x).await` |
//! | `await asyncio.sleep(1)` | `asynchronous::sleep(Duration::from_secs(1)).await` |
//! | `await asyncio.gather(f(1), f(2))` | `asynchronous::gather([f(1), f(2)]).await` |
//! | `asyncio.create_task(f(1))`, `asyncio.to_thread(g)` | `tokio::spawn(f(1))`, `tokio::task::spawn_blocking(g)` |
//! | `asyncio.run(main())` | `asynchronous::block_on(main())` |
//!
//! ```
//! use parcourse::prelude::*;
//! let lengths = ["mom", "thesis"].map(async |word| word.len());
//! let lengths = asynchronous::block_on(asynchronous::gather(lengths));
//! assert_eq!(lengths, [3, 6]);
//! ```
//!
//! # dask
//!
//! | dask | Rust |
//! |---|---|
//! | chunks that fit in memory or cache | `a.par_chunks(65_536)`, `matrix.axis_chunks_iter(Axis(0), 256)` |
//! | `da.random.default_rng(42)`, one stream per chunk | `streams(42).par_blocks(n)` |
//! | `bag.map(f).filter(p).fold(…)` | `items.par_iter().map(f).filter(p).reduce(…)` |
//! | `delayed` tasks and `.visualize()` | [`Graph`](crate::graph::Graph) |
//! | `ProgressBar()` | `progress(&items)` |
//! | the task stream of the dashboard | `tasks::record(\|\| …)`, `tasks::live(\|\| …)` |
//! | chunks of a 2-d array, `map_blocks` | `grid::tiles_mut(&mut a, (2, 2)).into_par_iter()` |
//!
//! ```
//! use parcourse::prelude::*;
//! let mut squares = Array2::<usize>::zeros((40, 60));
//! let ((), stream) = tasks::record(|| {
//!     let tiles = grid::tiles_mut(&mut squares, (2, 2));
//!     tiles.into_par_iter().enumerate().for_each(|(number, (tile, mut part))| {
//!         tasks::task(format!("tile {number}"), || part.fill(tile.len()))
//!     })
//! });
//! assert_eq!((stream.entries().len(), squares[[39, 59]]), (4, 600));
//! ```
//!
//! ```
//! use parcourse::prelude::*;
//! let matrix = Array2::<f64>::ones((1000, 8));
//! let chunks = matrix.axis_chunks_iter(Axis(0), 256);
//! let sums: Vec<f64> = chunks.into_par_iter().map(|rows| rows.sum()).collect();
//! assert_eq!(sums, [2048.0, 2048.0, 2048.0, 1856.0]);
//! ```
//!
//! # Measuring and showing
//!
//! | IPython and its extensions | Rust |
//! |---|---|
//! | `%time f(x)`, `%timeit f(x)` | `time!(f(x))`, `timeit!(f(x))` |
//! | `%timeit` for one version after the other | `compare! { "loop" => f(x), "arrays" => g(x) }` |
//! | `%memit f(x)`, `memory_usage((f, (x,)))` | `memit!(f(x))`, `memory_usage(\|\| f(x))` |
//! | `%lprun -f f f(x)` | `#[line_profile]` above `fn f`, then `profile::report()` |
//! | `py-spy record` | `profile::flame_graph(\|\| f(x))` |
//! | `plt.plot(x, y)`, `plt.loglog(x, y)` | `plot::line(&x, &y)`, `plot::line(&x, &y).log_x().log_y()` |
//! | `pd.DataFrame({"n": n, "t": t})` | `Table::new().column("n", &n).column("t", &t)` |
//! | `display(x)`, `HTML(…)` | `display(&x)`, `Html::new(…)` |
//! | `tqdm(items)` | `progress(&items)` |
//! | `assert a == b, "…"`, `np.testing.assert_allclose(a, b, rtol=1e-9)` | `check_eq!(a, b, hint = "…")`, `check_close!(a, b, 1e-9)` |
//!
//! ```
//! use parcourse::prelude::*;
//! let n = [1, 2, 4];
//! let squares = time!(n.map(|n| n * n));
//! let table = Table::new().column("n", n).column("square", squares);
//! check_eq!(table.values("square"), [1.0, 4.0, 16.0], hint = "4 is the last n");
//! table.plot("n", "square").log_y().show();
//! ```
