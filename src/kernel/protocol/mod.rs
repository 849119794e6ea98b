//! Messages between a front end and the kernel: [`message`] (reading and writing them), [`iopub`]
//! (output for all clients), [`stdin`] (asking the user), [`tcp`] (TCP sockets with a limit on
//! message sizes).

pub mod iopub;
pub mod message;
pub mod stdin;
pub mod tcp;
