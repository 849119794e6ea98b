fn measure_processes(_size: usize, _runs: usize, _threads: usize) {}
