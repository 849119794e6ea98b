//! How much machine code a cell contains, because a cell compiles what it instantiates every time.
//!
//! Sizes do not depend on the machine's speed, so they are tested in place of what `parcourse bench
//! cells` measures: the helper crate's public functions are thin shims over code that was compiled
//! once.

use super::PRELUDE;
use super::client::Kernel;
use object::{Object, ObjectSection, SectionKind};
use std::path::PathBuf;

/// A cell, and how much more machine code than `1 + 1` it may contain, in bytes.
const BOUNDS: [(&str, u64); 5] = [
    ("threads::Pool::new(2).map(|x: &u64| x * x + 1, &[1, 2, 3])", POOL_MAP),
    ("processes::Pool::new(2).map(|x: &u64| x * x + 1, &[1, 2, 3])", PROCESSES_MAP),
    ("timeit!(runs = 1, 1 + 1)", 1000),
    ("check_fast!(|| 1 + 1, || 1 + 2, factor = 0.001)", 2000),
    ("plot::line([0.0, 1.0], [1.0, 2.0])", 2000),
];
const POOL_MAP: u64 = 3_000;
const PROCESSES_MAP: u64 = 5_000;

#[test]
fn helpers_add_little_machine_code_to_a_cell() {
    let mut kernel = Kernel::start();
    kernel.ok(PRELUDE);
    let unit = code_bytes(&mut kernel, "1 + 1");
    let sizes = BOUNDS
        .map(|(cell, bound)| (cell, code_bytes(&mut kernel, cell).saturating_sub(unit), bound));
    println!("1 + 1: {unit} bytes");
    sizes.iter().for_each(|(cell, more, bound)| println!("{cell}: {more} more, of {bound}"));
    let too_large: Vec<_> = sizes.iter().filter(|(_, more, bound)| more > bound).collect();
    assert!(too_large.is_empty(), "{too_large:#?}");
}

/// The code size of the object that the engine compiles from this cell.
fn code_bytes(kernel: &mut Kernel, cell: &str) -> u64 {
    kernel.ok(cell);
    let newest = objects(kernel)
        .into_iter()
        .max_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
    let data = std::fs::read(newest.expect("a compiled cell")).unwrap();
    let object = object::File::parse(&*data).unwrap();
    object
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .map(|section| section.size())
        .sum()
}

fn objects(kernel: &mut Kernel) -> Vec<PathBuf> {
    let folder = kernel.ok("!echo $EVCXR_TMPDIR").result().unwrap_or_default().trim().to_owned();
    let entries = |folder: PathBuf| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let targets = entries(PathBuf::from(folder).join("target"));
    // Cargo copies the object from the second folder to the first.
    let files = targets
        .flat_map(|target| [target.join("debug"), target.join("debug/deps")])
        .flat_map(entries);
    files
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("libcode_"))
        .collect()
}
