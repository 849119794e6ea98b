//! `parcourse bench helpers`: the cost of the helpers compared with hand-written code, in cells of
//! a real kernel.

mod cells;

use super::common::{CommonArguments, LIMIT};
use super::kernel::execute;
use super::sandbox::Sandbox;
use super::statistics::Sample;
use super::status_line::StatusLine;
use super::table::Table;
use super::units;
use crate::runner::KernelKind;
use crate::runner::kernels::{Client, Session};
use anyhow::{Context, Result, bail};
use cells::{COMPARISONS, Comparison, DEFINITIONS};
use serde_json::json;
use std::process::ExitCode;

/// The allowed overhead of a progress bar in a loop whose body takes a microsecond.
const TARGET: f64 = 1.01;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    common: CommonArguments,
}

/// One helper: seconds with it and by hand, round by round.
#[derive(Default)]
struct Measured {
    helper: Sample,
    hand: Sample,
}

pub fn main(arguments: Arguments) -> Result<ExitCode> {
    let common = &arguments.common;
    let measured = common
        .run(true, async |sandbox, status| measure(common.rounds(), sandbox, status).await)?;
    match common.json {
        true => println!("{}", serde_json::to_string_pretty(&in_json(&measured))?),
        false => print!("{}", in_words(&measured)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(rounds: usize, sandbox: &Sandbox, status: &StatusLine) -> Result<Vec<Measured>> {
    sandbox.prepare(false, true, status).await?;
    status.show("starting the kernel");
    let client = Client::launch(
        KernelKind::Parcourse,
        &sandbox.folder(),
        &|_| Ok(sandbox.launch_spec()),
        LIMIT,
    )
    .await?;
    let mut session = Session::new(KernelKind::Parcourse, client);
    for code in [&sandbox.first_cell(), DEFINITIONS] {
        execute(&mut session, code, false).await.context("the first cells")?;
    }
    let mut all: Vec<Measured> = COMPARISONS.iter().map(|_| Measured::default()).collect();
    for round in 1..=rounds {
        for (comparison, measured) in COMPARISONS.iter().zip(&mut all) {
            status.show(&format!("{round} of {rounds}: {}", comparison.name));
            let (helper, hand) = once(&mut session, comparison)
                .await
                .with_context(|| format!("measuring {}", comparison.name))?;
            measured.helper.push(helper);
            measured.hand.push(hand);
        }
    }
    session.client.shut_down().await;
    Ok(all)
}

async fn once(session: &mut Session, comparison: &Comparison) -> Result<(f64, f64)> {
    let execution = execute(session, comparison.source, false).await?;
    let text = execution.outputs.stdout();
    let line = text.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [helper, hand] if helper > 0.0 && hand > 0.0 => Ok((helper, hand)),
        _ => bail!("the cell printed {text:?} instead of two durations"),
    }
}

fn in_words(all: &[Measured]) -> String {
    let mut table = Table::new(&[
        "Helper compared with hand-written code",
        "helper",
        "by hand",
        "ratio",
        "lowest",
        "highest",
    ]);
    for (comparison, Measured { helper, hand }) in COMPARISONS.iter().zip(all) {
        let ratio = helper.ratios(hand);
        let times =
            [helper, hand].map(|sample| sample.median().map(units::fine).unwrap_or_default());
        let ratios = [ratio.median(), ratio.min(), ratio.max()]
            .map(|value| value.map(units::ratio).unwrap_or_default());
        let mut row = vec![format!("{}: per {}", comparison.name, comparison.per)];
        row.extend(times.into_iter().chain(ratios));
        table.row(row);
    }
    let progress = all
        .first()
        .and_then(|measured| measured.helper.ratios(&measured.hand).median())
        .unwrap_or(f64::NAN);
    let verdict = if progress <= TARGET { "met" } else { "missed" };
    format!(
        "{table}\nTarget: a progress bar adds at most 1 % to a loop of 1 µs per iteration: \
        {verdict} ({:+.2} %)\n",
        (progress - 1.0) * 100.0
    )
}

fn in_json(all: &[Measured]) -> serde_json::Value {
    let comparisons = COMPARISONS.iter().zip(all).map(|(comparison, Measured { helper, hand })| {
        json!({ "name": comparison.name, "per": comparison.per, "helper_seconds": helper, "hand_seconds": hand, "ratio": helper.ratios(hand) })
    });
    json!({ "benchmark": "helpers", "version": env!("CARGO_PKG_VERSION"), "comparisons": comparisons.collect::<Vec<_>>() })
}
