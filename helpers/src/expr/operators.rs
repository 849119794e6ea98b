//! `+`, `-`, `*`, `/` between expressions, and between expressions and numbers.

use super::kernels::{Function, Operation};
use super::lazy::Lazy;
use super::nodes::{Binary, Expression, Unary};
use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! operator {
    ($trait:ident, $method:ident, $operation:expr, |$x:ident| with number: $right:expr, from number: $left:expr) => {
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

operator!(Add, add, Operation::Add, |c| with number: Function::Plus(c), from number: Function::Plus(c));
operator!(Sub, sub, Operation::Sub, |c| with number: Function::Plus(-c), from number: Function::From(c));
operator!(Mul, mul, Operation::Mul, |c| with number: Function::Times(c), from number: Function::Times(c));
operator!(Div, div, Operation::Div, |c| with number: Function::Over(c), from number: Function::Under(c));

impl<E: Expression> Neg for Lazy<E> {
    type Output = Lazy<Unary<E>>;

    fn neg(self) -> Lazy<Unary<E>> {
        self.unary(Function::Neg)
    }
}
