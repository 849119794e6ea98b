// The store in which a notebook's variables wait between cells: what the engine's module `evcxr_internal_runtime` is, compiled once. What
// does not depend on a variable's type is done by functions that do not either, so that little is left to compile in a cell.
//
// A cell may find a store that code with the engine's own module has made: fields and their order must stay as they are there.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any + 'static>>,
}

impl VariableStore {
    #[inline(never)]
    pub fn new() -> VariableStore {
        VariableStore { variables: HashMap::new() }
    }

    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        match self.get(name) {
            Some(value) if !value.is::<T>() => Self::redefined(name),
            _ => true,
        }
    }

    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(_) => Self::changed(),
        }
    }

    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        if self.get(name).is_none() {
            self.put(name, Box::new(Arc::new(create())));
        }
        match self.get(name).and_then(|value| value.downcast_ref::<Arc<T>>()) {
            Some(value) => Arc::clone(value),
            None => panic!("lazy_arc {name} changed type"),
        }
    }

    #[inline(never)]
    pub fn merge(&mut self, mut other: VariableStore) {
        self.variables.extend(other.variables.drain());
    }

    #[inline(never)]
    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    #[inline(never)]
    fn get(&self, name: &str) -> Option<&dyn Any> {
        self.variables.get(name).map(|value| &**value)
    }

    #[inline(never)]
    fn take(&mut self, name: &str) -> Box<dyn Any> {
        match self.variables.remove(name) {
            Some(value) => value,
            None => panic!("Variable '{name}' has gone missing"),
        }
    }

    #[cold]
    #[inline(never)]
    fn redefined(name: &str) -> bool {
        eprintln!("The type of the variable {name} was redefined, so was lost.");
        println!("{VARIABLE_CHANGED_TYPE}{name}");
        false
    }

    #[cold]
    #[inline(never)]
    fn changed() -> ! {
        panic!("Variable changed type");
    }
}

#[inline(never)]
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}
