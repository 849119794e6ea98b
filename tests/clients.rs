//! Our kernel under Jupyter clients that are not ours: nbclient, jupyter_client over tcp and ipc,
//! Jupyter's own commands, and the public jupyter_kernel_test suite. The checks themselves are
//! Python, in `tests/clients/`.

use crate::python::clients::Clients;
use crate::python::gate::{self, Suite, Test};

type SetUp = Result<Clients, String>;

const TESTS: &[Test<SetUp>] = &[
    ("nbclient_executes_the_welcome_notebook", |clients| {
        ready(clients)?.run("execute_notebook.py", &[WELCOME], &[])
    }),
    ("nbclient_executes_the_welcome_notebook_on_stock_evcxr", |clients| {
        ready(clients)?.run(
            "execute_notebook.py",
            &[WELCOME],
            &[("PARCOURSE_KERNELSPEC", "rust-stock")],
        )
    }),
    ("jupyter_kernel_test_suite", |clients| ready(clients)?.run("kernel_suite.py", &[], &[])),
    ("jupyter_commands", |clients| ready(clients)?.run("check_commands.py", &[], &[])),
    ("execution_over_tcp", |clients| check(clients, "check_execution.py", "tcp")),
    ("execution_over_ipc", |clients| check(clients, "check_execution.py", "ipc")),
    ("requests_over_tcp", |clients| check(clients, "check_requests.py", "tcp")),
    ("requests_over_ipc", |clients| check(clients, "check_requests.py", "ipc")),
    ("lifecycle_over_tcp", |clients| check(clients, "check_lifecycle.py", "tcp")),
    ("lifecycle_over_ipc", |clients| check(clients, "check_lifecycle.py", "ipc")),
];

const WELCOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/notebooks/00_welcome.ipynb");

fn ready(clients: &SetUp) -> Result<&Clients, String> {
    clients.as_ref().map_err(Clone::clone)
}

fn check(clients: &SetUp, script: &str, transport: &str) -> Result<(), String> {
    ready(clients)?.run(script, &[], &[("PARCOURSE_TRANSPORT", transport)])
}

pub fn suite() -> Suite {
    Suite::new("clients", TESTS, gate::python_and_packages, Clients::set_up)
}
