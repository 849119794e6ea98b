//! Runs several notebooks: how many at once, which kernel starts ahead of time, and how a signal
//! ends the run.

use super::Settings;
use super::execute::{NotebookResult, Permits, execute};
use super::notebook::Source;
use crate::runner::progress::Progress;
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

/// Runs all notebooks. The second part of the result names the signal that ended the run early; in
/// that case unfinished notebooks have no result.
///
/// Everything happens on this thread: the kernels do the work, and the runner should not take a
/// core from them.
pub fn run(
    sources: &[Source],
    settings: &Settings,
    progress: Progress,
) -> Result<(Vec<Option<NotebookResult>>, Option<&'static str>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runner")?;
    let results: Vec<RefCell<Option<NotebookResult>>> =
        sources.iter().map(|_| RefCell::new(None)).collect();
    let interrupted = runtime.block_on(async {
        let progress = RefCell::new(progress);
        let permits = Permits {
            kernels: Semaphore::new(settings.jobs + 1),
            running: Semaphore::new(settings.jobs),
            cells: Semaphore::new(settings.jobs),
        };
        let (permits, progress) = (&permits, &progress);
        let notebooks =
            sources.iter().zip(&results).enumerate().map(|(number, (source, result))| {
                Box::pin(async move {
                    let done = execute(number, source, settings, permits, progress).await;
                    *result.borrow_mut() = Some(done);
                }) as Pin<Box<dyn Future<Output = ()> + '_>>
            });
        let ended = tokio::select! {
            biased;
            signal = stopped() => Some(signal),
            () = all(notebooks.collect()) => None,
            () = tick(progress) => None,
        };
        // Leaving this block drops the running kernels, which ends them.
        progress.borrow_mut().clear();
        ended
    });
    Ok((results.into_iter().map(RefCell::into_inner).collect(), interrupted))
}

/// Polls all futures to completion, starting them in order.
async fn all(mut futures: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    std::future::poll_fn(move |context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Waits for a signal that asks us to stop and returns its name.
pub async fn stopped() -> &'static str {
    let listen = |kind| signal(kind).ok();
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(SignalKind::interrupt()),
        listen(SignalKind::terminate()),
        listen(SignalKind::hangup()),
    );
    tokio::select! {
        () = next(&mut interrupt) => "SIGINT",
        () = next(&mut terminate) => "SIGTERM",
        () = next(&mut hangup) => "SIGHUP",
    }
}

async fn next(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Updates the elapsed times on the screen.
async fn tick(progress: &RefCell<Progress>) {
    let mut interval = tokio::time::interval(Duration::from_millis(250));
    loop {
        interval.tick().await;
        progress.borrow_mut().redraw();
    }
}
