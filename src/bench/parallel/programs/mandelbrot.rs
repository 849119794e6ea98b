const LANES: usize = 8;

/// The iterations of neighbouring points, a vector of the processor at a time. A point that has left goes on and on until all have: its
/// |z|² is infinite or not a number then, and no longer counted.
#[inline(always)]
fn counts(c_re: [f64; LANES], c_im: f64, iterations: u32) -> [u32; LANES] {
    let (mut x, mut y, mut counts) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for _ in 0..iterations {
        let mut inside = 0.0;
        for lane in 0..LANES {
            let (xx, yy) = (x[lane] * x[lane], y[lane] * y[lane]);
            let one_inside = if xx + yy < 4.0 { 1.0 } else { 0.0 };
            counts[lane] += one_inside;
            inside += one_inside;
            y[lane] = 2.0 * x[lane] * y[lane] + c_im;
            x[lane] = xx - yy + c_re[lane];
        }
        if inside == 0.0 {
            break;
        }
    }
    counts.map(|count| count as u32)
}

#[inline(always)]
fn row(line: &mut [u32], c_im: f64, scale: f64, iterations: u32) {
    let half = (line.len() / 2) as f64;
    for (block, line) in line.chunks_mut(LANES).enumerate() {
        let c_re = std::array::from_fn(|lane| -1.1195 + ((block * LANES + lane) as f64 - half) * scale);
        line.copy_from_slice(&counts(c_re, c_im, iterations)[..line.len()]);
    }
}

/// The same once more for processors with vectors of four.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn row_avx2(line: &mut [u32], c_im: f64, scale: f64, iterations: u32) {
    row(line, c_im, scale, iterations);
}

fn mandelbrot(size: usize, iterations: u32) -> Array2<u32> {
    let mut counts = Array2::zeros((size, size));
    let scale = 0.005 / size as f64;
    #[cfg(target_arch = "x86_64")]
    let wide = is_x86_feature_detected!("avx2");
    counts.as_slice_mut().unwrap().par_chunks_mut(size).enumerate().for_each(|(number, line)| {
        let c_im = 0.2718 + (number as f64 - (size / 2) as f64) * scale;
        #[cfg(target_arch = "x86_64")]
        if wide {
            // SAFETY: the processor has it.
            return unsafe { row_avx2(line, c_im, scale, iterations) };
        }
        row(line, c_im, scale, iterations)
    });
    counts
}

fn measure_mandelbrot(size: usize, runs: usize, _threads: usize) {
    let (seconds, counts) = best(runs, || mandelbrot(size, 1024));
    tell("mandelbrot", "ours", seconds, Some(counts.iter().map(|&count| count as f64).sum()), None);
}
