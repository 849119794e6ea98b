//! Messages between a front end and the kernel: [`message`] (building them), [`iopub`] (what everyone
//! sees), [`stdin`] (asking the learner), [`tcp`] (sockets that only the owner of the key can use).

pub mod iopub;
pub mod message;
pub mod stdin;
pub mod tcp;
