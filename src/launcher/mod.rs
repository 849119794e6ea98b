//! What a learner or administrator starts: [`lab`] opens JupyterLab, [`kernelspec`] registers the
//! kernel with other installations, [`doctor`] looks for problems on this machine.

pub mod doctor;
pub mod kernelspec;
pub mod lab;
