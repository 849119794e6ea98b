//! The reply to `kernel_info_request`.

use serde_json::{Value, json};

/// Content of a kernel_info_reply.
pub fn kernel_info() -> Value {
    json!({
        "status": "ok",
        "protocol_version": "5.4",
        "implementation": "parcourse",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": env!("CARGO_PKG_RUST_VERSION"),
            "mimetype": "text/rust",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
            "nbconvert_exporter": "script",
        },
        "banner": concat!(
            "Parcourse ",
            env!("CARGO_PKG_VERSION"),
            ": Rust on the evcxr engine; :help lists its commands"
        ),
        "help_links": [
            { "text": "The Rust Programming Language", "url": "https://doc.rust-lang.org/book/" },
            { "text": "Rust standard library", "url": "https://doc.rust-lang.org/std/" },
            { "text": "rayon", "url": "https://docs.rs/rayon/" },
            { "text": "evcxr", "url": "https://github.com/evcxr/evcxr" },
        ],
        "debugger": false,
        "supported_features": [],
    })
}
