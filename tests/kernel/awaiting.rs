//! Cells that await async code: interrupts, panics, `?`, tasks that run between cells, and that
//! nothing is compiled for it.

use super::client::Kernel;
use super::{PRELUDE, SAY_WHEN_PROTECTED, TIMEOUT};
use std::time::Instant;

const WAIT: &str =
    "say_when_protected(); parcourse::tokio::time::sleep(Duration::from_secs(1000)).await;";

#[test]
fn cells_wait_and_can_be_interrupted() {
    let mut kernel = Kernel::start();
    kernel.ok(PRELUDE);
    kernel.ok("let kept = vec![1, 2, 3];");

    // The engine adds tokio now. The helper crate is not compiled again for it, of which the kernel
    // would say something.
    let cell = kernel.ok("time!(asynchronous::sleep(Duration::from_millis(50)).await); kept.len()");
    assert_eq!(cell.result(), Some("3"));
    assert!(!cell.all_output().contains("compiled dependencies"), "{}", cell.all_output());

    // Spawned tasks continue between cells, on the helper crate's runtime.
    kernel.ok("let (sender, mut receiver) = parcourse::tokio::sync::mpsc::channel::<u32>(1);");
    kernel.ok("asynchronous::runtime().spawn(async move { for i in 0.. { if sender.send(i).await.is_err() { break } } });");
    assert_eq!(kernel.ok("receiver.recv().await").result(), Some("Some(0)"));
    assert_eq!(kernel.ok("receiver.recv().await").result(), Some("Some(1)"));
    // In a cell that waits for nothing, but is compiled as one that does by now.
    assert_eq!(kernel.ok("asynchronous::block_on(async { 5 })").result(), Some("5"));

    kernel.ok(SAY_WHEN_PROTECTED);
    // An interrupt ends any wait, and the variables are kept.
    for wait in [
        WAIT,
        "say_when_protected(); asynchronous::gather((0..100).map(|_| asynchronous::sleep(Duration::from_secs(1000)))).await;",
    ] {
        let id = kernel.begin(wait);
        kernel.wait_for_text(&id, "begun");
        let asked = Instant::now();
        kernel.interrupt();
        let cell = kernel.finish(&id);
        assert!(cell.replied_at().duration_since(asked) < TIMEOUT, "{wait}");
        assert_eq!(cell.ename(), "Interrupted", "{}", cell.all_output());
        assert!(cell.evalue().contains("variables are kept"), "{}", cell.evalue());
        assert_eq!(kernel.ok("kept.len()").result(), Some("3"));
    }
    assert_eq!(kernel.ok("receiver.recv().await").result(), Some("Some(2)"));

    // A panic and a `?` after an `.await`, with their lines.
    let cell =
        kernel.fails("asynchronous::sleep(Duration::from_millis(1)).await;\npanic!(\"too late\");");
    assert_eq!((cell.ename(), cell.evalue()), ("Panic", "too late"));
    assert!(cell.traceback().contains("line 2"), "{}", cell.traceback());
    let cell = "let late = parcourse::tokio::time::timeout(Duration::from_millis(1), asynchronous::sleep(Duration::from_secs(9))).await?;";
    let cell = kernel.fails(cell);
    assert!(cell.evalue().contains("deadline has elapsed"), "{}", cell.all_output());
    assert_eq!(kernel.ok("kept.len()").result(), Some("3"));

    // A cell that computes is stopped with its process, as in a notebook without `.await`.
    let id = kernel.begin("println!(\"begun\"); loop { std::hint::spin_loop(); }");
    kernel.wait_for_text(&id, "begun");
    kernel.interrupt();
    let cell = kernel.finish(&id);
    assert!(cell.traceback().contains("variables are lost"), "{}", cell.traceback());
}
