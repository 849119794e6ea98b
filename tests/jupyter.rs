//! Everything that needs Python: JupyterLab, other clients, a browser, nbgrader, the book. Where
//! there is no Python, the tests are ignored with the reason; with `PARCOURSE_REQUIRE_ALL=1` they
//! fail.

mod book;
mod browser;
mod clients;
mod environment;
mod lab;
mod nbgrader;
mod python;

use std::process::ExitCode;

fn main() -> ExitCode {
    python::gate::run(vec![
        environment::suite(),
        book::suite(),
        lab::suite(),
        clients::suite(),
        nbgrader::suite(),
        browser::suite(),
    ])
}
