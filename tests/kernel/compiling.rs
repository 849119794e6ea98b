//! Users must not notice how cells are compiled: without cargo if it is not needed, and with our
//! code in place of the engine's.

use super::PRELUDE;
use super::client::Kernel;

#[test]
fn variables_are_destroyed_once_and_only_when_it_is_time() {
    let mut kernel = Kernel::start();
    kernel
        .ok("struct Loud(u32);\nimpl Drop for Loud { fn drop(&mut self) { println!(\"drop {}\", \
        self.0); } }");
    assert_eq!(
        kernel
            .ok("let a = Loud(1); let b = Loud(2); let mut v = vec![Loud(3)]; let nothing = ();")
            .stdout(),
        ""
    );
    assert_eq!(kernel.ok("println!(\"{}\", a.0);").stdout(), "1\n");
    assert_eq!(kernel.ok("drop(b);").stdout(), "drop 2\n");
    assert_eq!(kernel.ok("let c = a;").stdout(), "");
    assert!(kernel.fails("a.0").all_output().contains("cannot find value `a`"));
    assert_eq!(kernel.ok("v.push(Loud(4));").stdout(), "");
    // A panic drops what is on the stack, but not the notebook's variables.
    assert_eq!(kernel.fails("let d = Loud(5); v[0].0 = 6; panic!(\"p\")").stdout(), "drop 5\n");
    assert_eq!(kernel.ok("c.0 + v[0].0 + v[1].0").result(), Some("11"));
    // A variable of the same name replaces it.
    assert_eq!(kernel.ok("let v = 7_u8;").stdout(), "drop 6\ndrop 4\n");
    assert_eq!(kernel.ok("(c.0, v)").result(), Some("(1, 7)"));
}

#[test]
fn plain_values_are_shown_as_all_others() {
    let mut kernel = Kernel::start();
    kernel.ok(PRELUDE);
    let values = "let values = (1.50, true, 'x', u128::MAX, Duration::from_millis(1500)); let b = \
        Box::new(5); let r: &'static u8 = &6;";
    kernel.ok(values);
    for (code, shown) in [
        ("values.0", "1.5"),
        ("values.1", "true"),
        ("values.2", "'x'"),
        ("values.3", "340282366920938463463374607431768211455"),
        ("values.4", "1.5s"),
        ("b", "5"),
        ("*b - 1", "4"),
        ("r", "6"),
        ("1 << 4", "16"),
        ("values", "(1.5, true, 'x', 340282366920938463463374607431768211455, 1.5s)"),
    ] {
        assert_eq!(kernel.ok(code).result(), Some(shown), "{code}");
    }
    // The engine's own display, and back.
    assert_eq!(kernel.ok(":fmt {:#?}\n(1, 2)").result(), Some("(\n    1,\n    2,\n)"));
    assert_eq!(kernel.ok(":fmt\n(1, 2)").result(), Some("(1, 2)"));
}

#[test]
fn what_a_cell_depends_on_may_change() {
    let mut kernel = Kernel::start();
    let folder = kernel.sandbox.path("mine");
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"mine\"\nversion = \"1.2.3\"\nedition = \"2024\"\n",
    )
    .unwrap();
    let source = folder.join("src/lib.rs");
    std::fs::write(&source, "pub fn value() -> u32 { 1 }").unwrap();
    kernel.ok(&format!(":dep mine = {{ path = {folder:?} }}"));
    assert_eq!(kernel.ok("mine::value() + 10").result(), Some("11"));
    assert_eq!(kernel.ok("mine::value() + 20").result(), Some("21"));
    std::fs::write(&source, "pub fn value() -> u32 { 2 }").unwrap();
    assert_eq!(kernel.ok("mine::value() + 10").result(), Some("12"), "edited sources are compiled");
    assert_eq!(kernel.ok("mine::value() + 20").result(), Some("22"));

    // Cells see the same environment with and without cargo.
    assert_eq!(kernel.ok("option_env!(\"OF_MINE\")").result(), Some("None"));
    assert_eq!(kernel.ok("env!(\"CARGO_PKG_NAME\")").result(), Some("\"ctx\""));
    assert_eq!(
        kernel.ok(":build_env OF_MINE=7\noption_env!(\"OF_MINE\")").result(),
        Some("Some(\"7\")")
    );
    assert_eq!(kernel.ok("option_env!(\"OF_MINE\")").result(), Some("Some(\"7\")"));
}
