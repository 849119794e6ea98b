//! Pools of processes.

use parcourse::prelude::*;
use parcourse::processes;

#[test]
fn smoke() {
    for n in 1..=8 {
        for length in [0, 1, n - 1, n, n + 1, 100, 1001] {
            let items: Vec<usize> = (0..length).collect();
            assert_eq!(processes::Pool::new(n).map(|x| x * x, &items), map(|x| x * x, &items));
        }
    }
    let start = Instant::now();
    let big = processes::Pool::new(2).map(|&x| vec![x; 5_000_000], &[1.0, 2.0, 3.0]);
    assert!(big[2][4_999_999] == 3.0 && big.len() == 3);
    println!("3 x 40 MB: {:?}", start.elapsed());
    let start = Instant::now();
    for _ in 0..100 {
        processes::Pool::new(4).map(|x| x + 1, &[1, 2, 3, 4]);
    }
    println!("pool of 4: {:?}", start.elapsed() / 100);
    let items: Vec<u64> = (0..1_000_000).collect();
    let start = Instant::now();
    processes::Pool::new(2).map(|x| x + 1, &items);
    println!("million: {:?}", start.elapsed());
}
