// The code that every cell contains besides the user's, compiled once: the store for a notebook's
// variables between cells (the engine's module `evcxr_internal_runtime`), catching panics, and
// showing values. Generic functions call non-generic ones where possible, so that little remains to
// be compiled in a cell.
//
// A cell may find a store that was created by the engine's own module, so the fields and their
// order must be the same as there.

#![allow(improper_ctypes_definitions)]

use std::alloc::Layout;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
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

    #[inline(always)]
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        self.check(name, TypeId::of::<T>())
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

    #[inline(never)]
    fn check(&self, name: &str, wanted: TypeId) -> bool {
        let is_as_wanted = self.get(name).is_none_or(|value| value.type_id() == wanted);
        if !is_as_wanted {
            eprintln!("The type of the variable {name} was redefined, so was lost.");
            println!("{VARIABLE_CHANGED_TYPE}{name}");
        }
        is_as_wanted
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

/// The boxes of variables that a cell has taken out of the store, whose values [`take`] has moved
/// out. Putting a variable back needs no code for its destructor. Boxes that remain at the end
/// belong to variables that the cell has moved elsewhere.
///
/// A pointer, so that cells need no code to drop a list.
pub struct Taken(*mut Vec<(String, *mut dyn Any)>);

impl Taken {
    #[inline(never)]
    pub extern "C" fn new() -> Taken {
        Taken(Box::into_raw(Box::default()))
    }

    fn list(&mut self) -> &mut Vec<(String, *mut dyn Any)> {
        // SAFETY: from `Box::into_raw` in `new`; this is the only pointer to it.
        unsafe { &mut *self.0 }
    }
}

impl Drop for Taken {
    #[inline(never)]
    fn drop(&mut self) {
        // SAFETY: from `Box::into_raw` in `new`, and not used again.
        let list = unsafe { Box::from_raw(self.0) };
        for (_, memory) in *list {
            // SAFETY: the memory belongs to a box whose value was moved out, so its layout is still
            // known.
            unsafe {
                let layout = Layout::for_value(&*memory);
                if layout.size() > 0 {
                    std::alloc::dealloc(memory.cast(), layout);
                }
            }
        }
    }
}

/// Takes a variable out of the store. It is `extern "C"`, like the functions below, so it does not
/// unwind, and the cell needs no code to drop the variables taken before.
pub extern "C" fn take<T: 'static>(store: &mut VariableStore, taken: &mut Taken, name: &str) -> T {
    // SAFETY: the memory holds a value of this type, which is moved out once.
    unsafe { take_memory(store, taken, name, TypeId::of::<T>()).cast::<T>().read() }
}

/// Puts a variable back that was [taken](take) as the same type.
pub extern "C" fn put_back<T: 'static>(
    store: &mut VariableStore,
    taken: &mut Taken,
    name: &str,
    value: T,
) {
    // SAFETY: `take` has moved a value out of this memory, and the cell's variable still has the
    // type that it was taken as.
    unsafe { take_back_memory(taken, name).cast::<T>().write(value) };
    put_memory(store, taken);
}

#[inline(never)]
extern "C" fn take_memory(
    store: &mut VariableStore,
    taken: &mut Taken,
    name: &str,
    wanted: TypeId,
) -> *mut u8 {
    let value = store.take(name);
    if (*value).type_id() != wanted {
        VariableStore::changed();
    }
    let memory = Box::into_raw(value);
    taken.list().push((name.to_owned(), memory));
    memory.cast()
}

/// Moves the memory to the end of the list.
#[inline(never)]
extern "C" fn take_back_memory(taken: &mut Taken, name: &str) -> *mut u8 {
    let Some(at) = taken.list().iter().position(|(known, _)| known == name) else {
        panic!("Variable '{name}' was not taken")
    };
    let entry = taken.list().remove(at);
    let memory = entry.1;
    taken.list().push(entry);
    memory.cast()
}

/// Moves the last entry of the list into the store. Its memory holds a value again.
#[inline(never)]
extern "C" fn put_memory(store: &mut VariableStore, taken: &mut Taken) {
    if let Some((name, memory)) = taken.list().pop() {
        // SAFETY: from `Box::into_raw`, and it holds a value again.
        store.variables.insert(name, unsafe { Box::from_raw(memory) });
    }
}

/// Runs a cell. Returns `Err` if it panicked.
pub extern "C" fn catch<R>(cell: impl FnOnce() -> R) -> Result<(), ()> {
    let mut cell = Some(cell);
    run(&mut || {
        if let Some(cell) = cell.take() {
            cell();
        }
    })
}

#[inline(never)]
extern "C" fn run(cell: &mut dyn FnMut()) -> Result<(), ()> {
    catch_unwind(AssertUnwindSafe(cell)).map_err(drop)
}

/// Tells the engine that the cell panicked.
#[cold]
#[inline(never)]
pub extern "C" fn panicked() {
    println!("EVCXR_PANIC_NOTIFICATION");
}

/// Shows the value of a cell's last expression, unless it is `()`. Types with their own method of
/// this name keep it, because inherent methods come first.
pub trait ParcourseDisplay {
    fn evcxr_display(&self);
}

impl<T: ?Sized + Debug> ParcourseDisplay for T {
    fn evcxr_display(&self) {
        show(&self)
    }
}

/// The same for plain values. Methods that take `self` come before those that take `&self`, so the
/// compiler need not search everything that implements `Debug`, which takes a third of the time of
/// a cell such as `1 + 1`.
pub trait ParcourseDisplayPlain {
    fn evcxr_display(self);
}

macro_rules! plain {
    ($($type:ty)*) => { $(
        impl ParcourseDisplayPlain for $type {
            #[inline(never)]
            fn evcxr_display(self) {
                show(&self)
            }
        }
    )* };
}

plain! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char std::time::Duration }

/// Shows nothing.
impl ParcourseDisplayPlain for () {
    #[inline(never)]
    fn evcxr_display(self) {}
}

/// The message before the value says that the value is the cell's result and not part of what the
/// cell displayed just before.
#[cold]
#[inline(never)]
fn show(value: &dyn Debug) {
    let text = format!("{value:?}");
    if text != "()" {
        print!(
            "EVCXR_BEGIN_CONTENT application/vnd.parcourse.message+json\n\
             {{\"msg\":\"result\"}}\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT\n"
        );
    }
}
