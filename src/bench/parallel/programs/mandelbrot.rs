// As in the notebook on fractals.

/// The escape times of N points at once. One that has left goes on and on until all have: its
/// distance is infinite or not a number then, and no longer counted.
#[inline(always)]
fn escape_times<const N: usize>(c_x: [f64; N], c_y: f64, max_steps: u32) -> [u32; N] {
    let (mut x, mut y, mut steps) = ([0.0; N], [0.0; N], [0.0; N]);
    let mut done = 0;
    while done < max_steps && (0..N).any(|i| x[i] * x[i] + y[i] * y[i] < 4.0) {
        let block = (max_steps - done).min(8);
        for _ in 0..block {
            for i in 0..N {
                let (xx, yy, xy) = (x[i] * x[i], y[i] * y[i], x[i] * y[i]);
                steps[i] += if xx + yy < 4.0 { 1.0 } else { 0.0 };
                x[i] = xx - yy + c_x[i];
                y[i] = xy + xy + c_y;
            }
        }
        done += block;
    }
    steps.map(|steps| steps as u32)
}

fn mandelbrot(size: usize, max_steps: u32) -> Array2<u32> {
    let (scale, half) = (0.005 / size as f64, (size / 2) as f64);
    let mut image = vec![0; size * size];
    image.par_chunks_mut(size).enumerate().for_each(|(row, line)| {
        let c_y = 0.2718 + (row as f64 - half) * scale;
        for (number, part) in line.chunks_mut(8).enumerate() {
            let c_x: [f64; 8] = std::array::from_fn(|i| -1.1195 + ((8 * number + i) as f64 - half) * scale);
            part.copy_from_slice(&escape_times(c_x, c_y, max_steps)[..part.len()]);
        }
    });
    Array2::from_shape_vec((size, size), image).expect("as many as there are pixels")
}

fn measure_mandelbrot(size: usize, runs: usize, _threads: usize) {
    let (seconds, steps) = best(runs, || mandelbrot(size, 1024));
    emit("mandelbrot", "ours", seconds, Some(steps.iter().map(|&steps| steps as f64).sum()), None);
}
