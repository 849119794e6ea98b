// The support library. The kernel compiles it against the shared standard library that cells use,
// and the user process loads it. The executable has its own standard library, so only this code can
// reach the cells' stdout buffer and panic hook.

use std::io::Write;

#[repr(C)]
pub struct Text {
    start: *const u8,
    length: usize,
}

impl Text {
    fn of(text: &str) -> Text {
        Text { start: text.as_ptr(), length: text.len() }
    }
}

#[repr(C)]
pub struct Panic {
    message: Text,
    file: Text,
    line: u32,
    column: u32,
    thread: Text,
}

#[unsafe(no_mangle)]
pub extern "C" fn parcourse_flush() {
    let _ = std::panic::catch_unwind(|| {
        let _ = std::io::stdout().flush();
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn parcourse_set_panic_hook(report: extern "C" fn(Panic)) {
    std::panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| text.to_string())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "(non-string panic payload)".to_string());
        let (file, line, column) = info.location().map_or((String::new(), 0, 0), |location| {
            (location.file().to_string(), location.line(), location.column())
        });
        let thread = std::thread::current().name().unwrap_or("").to_string();
        report(Panic {
            message: Text::of(&message),
            file: Text::of(&file),
            line,
            column,
            thread: Text::of(&thread),
        });
    }));
}
