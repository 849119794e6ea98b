//! Tuples as the arguments of a function: Python's `f(*args)`.

/// A tuple of 2 to 6 values that are the arguments of a function.
///
/// # Examples
///
/// ```
/// use parcourse::pool::Arguments;
/// assert_eq!((2, 5).apply(&u64::pow), 32);
/// assert_eq!((1, 2, 3).apply(&|a, b, c| a + b * c), 7);
/// ```
pub trait Arguments<F, R> {
    /// Calls the function with clones of the components.
    fn apply(&self, f: &F) -> R;
}

macro_rules! tuples {
    ($(($($name:ident: $type:ident),+))+) => { $(
        impl<F, R, $($type: Clone),+> Arguments<F, R> for ($($type,)+)
        where
            F: Fn($($type),+) -> R,
        {
            fn apply(&self, f: &F) -> R {
                let ($($name,)+) = self.clone();
                f($($name),+)
            }
        }
    )+ };
}

tuples! {
    (a: A, b: B)
    (a: A, b: B, c: C)
    (a: A, b: B, c: C, d: D)
    (a: A, b: B, c: C, d: D, e: E)
    (a: A, b: B, c: C, d: D, e: E, g: G)
}
