//! Lazy expressions, as you type them.

use super::kernels::{Function, Operation};
use super::leaf::{Leaf, Source};
use super::nodes::{Binary, Expression, Map, Shape, Unary};
use ndarray::Dimension;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Makes an expression from an array: `&array`, a view, `&vector` or a slice. Costs nothing and
/// copies nothing.
///
/// # Examples
///
/// ```
/// use parcourse::prelude::*;
/// let (a, b) = (array![[1.0, 2.0], [3.0, 4.0]], array![[4.0, 3.0], [2.0, 1.0]]);
/// let c = (2.0 * lazy(&a) + lazy(b.t()).square()).to_array();
/// assert_eq!(c, array![[18.0, 8.0], [15.0, 9.0]]);
///
/// let numbers = vec![3, 4];
/// let norm = lazy(&numbers).square().sum().sqrt();
/// assert_eq!(norm, 5.0);
/// ```
pub fn lazy<'a, S: Source<'a>>(source: S) -> Lazy<Leaf<'a, S::Number, S::Dim>> {
    Lazy { expression: Leaf { view: source.into_view() }, serial: false }
}

/// An expression of arrays, made by [`lazy`]; nothing is computed yet.
///
/// | to go on | |
/// |---|---|
/// | `x + y`, `x - y`, `x * y`, `x / y`, `-x` | with another expression of the same shape, or with a number, on either side |
/// | `.sin()`, `.cos()`, `.exp()`, `.ln()` | vectorised; within 2 units in the last place |
/// | `.sqrt()`, `.abs()`, `.square()`, `.powi(n)`, `.recip()` | exactly those of `f64` |
/// | `.minimum(y)`, `.maximum(y)`, `.at_least(c)`, `.at_most(c)` | as in NumPy: NaN if one of them is |
/// | `.map(f)` | any other function, element by element |
/// | `.serial()` | on the calling thread only |
///
/// | to get a result | |
/// |---|---|
/// | `.sum()`, `.mean()`, `.min()`, `.max()`, `.dot(y)` | a number |
/// | `.to_array()`, `.assign_to(&mut array)` | the elements |
///
/// You can use an expression several times (`let x = lazy(&a); x.sin() * x.ln()`); it is computed
/// anew each time. Repeated parts are computed repeatedly, too; reading an array again costs almost
/// nothing, because it is then in the cache.
#[derive(Clone, Copy)]
#[must_use = "nothing is computed until `.sum()`, `.to_array()` or the like asks for a result"]
pub struct Lazy<E> {
    pub(super) expression: E,
    pub(super) serial: bool,
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty)?) => $function:expr;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(self $(, $argument: $type)?) -> Lazy<Unary<E>> {
                self.unary($function)
            }
        )*
    };
}

impl<E: Expression> Lazy<E> {
    functions! {
        /// The sine of each element, an angle in radians. (Angles beyond 10⁹ take ten times as
        /// long.)
        sin() => Function::Sin;
        /// The cosine of each element, an angle in radians. (Angles beyond 10⁹ take ten times as
        /// long.)
        cos() => Function::Cos;
        /// e to the power of each element.
        exp() => Function::Exp;
        /// The natural logarithm of each element, `np.log`: minus infinity of 0, NaN of negative
        /// numbers.
        ln() => Function::Ln;
        /// The square root of each element: NaN of negative numbers.
        sqrt() => Function::Sqrt;
        /// Each element without its sign.
        abs() => Function::Abs;
        /// Each element multiplied by itself.
        square() => Function::Square;
        /// One divided by each element.
        recip() => Function::Recip;
        /// Each element to the power of an integer, by repeated multiplication.
        powi(n: i32) => Function::Powi(n);
        /// Each element, but at least `bound`: `np.maximum(x, bound)`.
        at_least(bound: f64) => Function::Maximum(bound);
        /// Each element, but at most `bound`: `np.minimum(x, bound)`.
        at_most(bound: f64) => Function::Minimum(bound);
    }

    /// Any function of each element. Unlike the others, it is called for one element at a time
    /// (unless the compiler can do better).
    ///
    /// # Examples
    ///
    /// ```
    /// use parcourse::prelude::*;
    /// let a = [0.0, 1.0, -1.0];
    /// assert_eq!(lazy(&a).map(f64::tanh).sum(), 0.0);
    /// ```
    pub fn map<F: Fn(f64) -> f64 + Sync>(self, f: F) -> Lazy<Map<E, F>> {
        Lazy { expression: Map { inner: self.expression, function: f }, serial: self.serial }
    }

    /// The smaller one of each pair of elements; NaN if one of them is NaN.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    #[track_caller]
    pub fn minimum<R: Expression<Dim = E::Dim>>(self, other: Lazy<R>) -> Lazy<Binary<E, R>> {
        self.binary(Operation::Minimum, other)
    }

    /// The greater one of each pair of elements; NaN if one of them is NaN.
    ///
    /// # Panics
    ///
    /// Panics if the shapes differ.
    #[track_caller]
    pub fn maximum<R: Expression<Dim = E::Dim>>(self, other: Lazy<R>) -> Lazy<Binary<E, R>> {
        self.binary(Operation::Maximum, other)
    }

    /// Computes the whole expression on the calling thread, for comparisons, or inside work that is
    /// already parallel.
    pub fn serial(self) -> Self {
        Lazy { serial: true, ..self }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.expression.dim().size()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> Vec<usize> {
        self.expression.dim().slice().to_vec()
    }

    pub(super) fn unary(self, function: Function) -> Lazy<Unary<E>> {
        Lazy { expression: Unary { inner: self.expression, function }, serial: self.serial }
    }

    #[track_caller]
    pub(super) fn binary<R: Expression<Dim = E::Dim>>(
        self,
        operation: Operation,
        right: Lazy<R>,
    ) -> Lazy<Binary<E, R>> {
        let serial = self.serial || right.serial;
        Lazy { expression: Binary::new(self.expression, operation, right.expression), serial }
    }
}

impl<E: Expression> fmt::Debug for Lazy<E> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "an expression of shape {}, not computed yet", Shape(&self.shape()))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $operation:expr,
        |$x:ident| with number: $right:expr, from number: $left:expr) => {
        impl<L: Expression, R: Expression<Dim = L::Dim>> $trait<Lazy<R>> for Lazy<L> {
            type Output = Lazy<Binary<L, R>>;

            #[track_caller]
            fn $method(self, right: Lazy<R>) -> Lazy<Binary<L, R>> {
                self.binary($operation, right)
            }
        }

        impl<E: Expression> $trait<f64> for Lazy<E> {
            type Output = Lazy<Unary<E>>;

            fn $method(self, $x: f64) -> Lazy<Unary<E>> {
                self.unary($right)
            }
        }

        impl<E: Expression> $trait<Lazy<E>> for f64 {
            type Output = Lazy<Unary<E>>;

            fn $method(self, right: Lazy<E>) -> Lazy<Unary<E>> {
                let $x = self;
                right.unary($left)
            }
        }
    };
}

operator!(Add, add, Operation::Add,
    |c| with number: Function::Plus(c), from number: Function::Plus(c));
operator!(Sub, sub, Operation::Sub,
    |c| with number: Function::Plus(-c), from number: Function::From(c));
operator!(Mul, mul, Operation::Mul,
    |c| with number: Function::Times(c), from number: Function::Times(c));
operator!(Div, div, Operation::Div,
    |c| with number: Function::Over(c), from number: Function::Under(c));

impl<E: Expression> Neg for Lazy<E> {
    type Output = Lazy<Unary<E>>;

    fn neg(self) -> Lazy<Unary<E>> {
        self.unary(Function::Neg)
    }
}
