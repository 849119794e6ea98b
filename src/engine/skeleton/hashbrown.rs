//! The visible types of the standard library's hash tables. The toolchain does not contain this
//! crate's sources, and with a field of unknown type, the types of many methods would be unknown.

pub mod hash_map {
    use core::marker::PhantomData;

    pub struct HashMap<K, V, S, A>(S, A, PhantomData<(K, V)>);
    pub struct Iter<'a, K, V>(PhantomData<(&'a K, &'a V)>);
    pub struct IterMut<'a, K, V>(PhantomData<(&'a K, &'a mut V)>);
    pub struct IntoIter<K, V, A>(A, PhantomData<(K, V)>);
    pub struct Drain<'a, K, V, A>(&'a mut A, PhantomData<(K, V)>);
    pub struct ExtractIf<'a, K, V, F, A>(F, &'a mut A, PhantomData<(K, V)>);
    pub struct RustcOccupiedEntry<'a, K, V, A>(&'a mut A, PhantomData<(K, &'a mut V)>);
    pub struct RustcVacantEntry<'a, K, V, A>(&'a mut A, K, PhantomData<V>);
    impl<K, V, S, A> HashMap<K, V, S, A> {
        pub const fn with_hasher(hash_builder: S) -> Self {
            loop {}
        }
    }
}

pub mod hash_set {
    use core::marker::PhantomData;

    pub struct HashSet<T, S, A>(S, A, PhantomData<T>);
    pub struct Iter<'a, K>(PhantomData<&'a K>);
    pub struct IntoIter<K, A>(A, PhantomData<K>);
    pub struct Drain<'a, K, A>(&'a mut A, PhantomData<K>);
    pub struct ExtractIf<'a, K, F, A>(F, &'a mut A, PhantomData<K>);
    pub struct OccupiedEntry<'a, T, S, A>(&'a mut S, &'a mut A, PhantomData<T>);
    pub struct VacantEntry<'a, T, S, A>(&'a mut S, &'a mut A, T);
    impl<T, S, A> HashSet<T, S, A> {
        pub const fn with_hasher(hasher: S) -> Self {
            loop {}
        }
    }
}
