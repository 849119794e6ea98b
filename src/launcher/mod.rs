//! Commands for learners and administrators: [`lab`] opens JupyterLab, [`kernelspec`] registers the
//! kernel with other installations, [`doctor`] checks the machine for problems.

pub mod doctor;
pub mod kernelspec;
pub mod lab;
