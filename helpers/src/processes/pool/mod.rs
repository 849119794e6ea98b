//! The two pools: [`Pool`] forks this process for each call, [`PersistentPool`] once. Both give
//! ranges of items to workers and put the results in order.
//!
//! Read [`forked`], then [`map_dispatcher`] and [`map_results`] (one `map`), [`imap`],
//! [`submitted`]. [`persistent`] adds workers that stay, [`idle_workers`].

mod array_chunks;
mod chunk_sizer;
mod forked;
mod idle_workers;
mod imap;
mod map_dispatcher;
mod map_results;
mod persistent;
mod submitted;

pub use forked::Pool;
pub use persistent::PersistentPool;
