//! Parts of a shared array that belong to one process each.
