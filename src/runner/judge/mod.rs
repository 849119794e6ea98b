//! Did a cell do what its tags say? [`verdict`] decides; [`check`] and [`text`] compare outputs with
//! stored ones, [`locate`] finds the failing line in a traceback.

pub mod check;
pub mod locate;
pub mod text;
pub mod verdict;
