//! `-p name value`: notebook parameters like papermill's, in Rust.
//!
//! A cell tagged `parameters` declares defaults with plain `let` statements. Values from the
//! command line go into a new cell right after it, tagged `injected-parameters`, which redeclares
//! the same names. A name keeps its declared type (or kind of literal), so that the cells below
//! still compile: `-p samples 3` for `let samples: f64 = 1e6;` gives `let samples: f64 = 3.0;`. For
//! types other than numbers, `bool`, `char` and strings, the value is a Rust expression.

use ra_ap_syntax::ast::{self, AstNode, HasModuleItem, HasName};
use ra_ap_syntax::{Edition, SourceFile};

/// One `let` statement of the parameters cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    pub name: String,
    mutable: bool,
    /// The type as written after the colon.
    ty: Option<String>,
    kind: ValueKind,
}

/// The expected form of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ValueKind {
    /// With the literal's suffix, as in `10_u64`.
    Integer(Option<String>),
    Float(Option<String>),
    Bool,
    Char,
    /// `&str`
    Str,
    /// `String`
    String,
    /// Any other type: the value is an expression.
    Expression,
    /// The type is unknown: the value decides.
    Inferred,
}

const INTEGERS: [&str; 12] =
    ["i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];
const FLOATS: [&str; 2] = ["f32", "f64"];

/// Returns the parameters that a cell declares. Engine commands (`:dep …`, `!ls`) are skipped.
pub fn declarations(source: &str) -> Vec<Declaration> {
    let is_command = |line: &&str| line.starts_with(':') || line.starts_with('!');
    let rust: Vec<&str> =
        source.lines().map(|line| if is_command(&line) { "" } else { line }).collect();
    let file =
        SourceFile::parse(&format!("fn cell() {{\n{}\n}}", rust.join("\n")), Edition::Edition2024)
            .tree();
    let body = file.items().find_map(|item| match item {
        ast::Item::Fn(function) => function.body()?.stmt_list(),
        _ => None,
    });
    body.into_iter().flat_map(|body| body.statements()).filter_map(declaration).collect()
}

fn declaration(statement: ast::Stmt) -> Option<Declaration> {
    let ast::Stmt::LetStmt(statement) = statement else { return None };
    let Some(ast::Pat::IdentPat(pattern)) = statement.pat() else { return None };
    let ty = statement.ty().map(|ty| ty.syntax().text().to_string());
    let kind = match &ty {
        Some(ty) => kind_of_type(ty),
        None => statement.initializer().map_or(ValueKind::Inferred, |value| kind_of_value(&value)),
    };
    Some(Declaration {
        name: pattern.name()?.text().to_string(),
        mutable: pattern.mut_token().is_some(),
        ty,
        kind,
    })
}

fn kind_of_type(ty: &str) -> ValueKind {
    let ty: String = ty.split_whitespace().collect();
    match ty.as_str() {
        ty if INTEGERS.contains(&ty) => ValueKind::Integer(Some(ty.to_string())),
        ty if FLOATS.contains(&ty) => ValueKind::Float(Some(ty.to_string())),
        "bool" => ValueKind::Bool,
        "char" => ValueKind::Char,
        "&str" | "&'staticstr" => ValueKind::Str,
        "String" | "std::string::String" => ValueKind::String,
        _ => ValueKind::Expression,
    }
}

fn kind_of_value(value: &ast::Expr) -> ValueKind {
    match value {
        ast::Expr::PrefixExpr(negative) => {
            negative.expr().map_or(ValueKind::Inferred, |value| kind_of_value(&value))
        }
        ast::Expr::CastExpr(cast) => cast
            .ty()
            .map_or(ValueKind::Inferred, |ty| kind_of_type(&ty.syntax().text().to_string())),
        ast::Expr::Literal(literal) => match literal.kind() {
            ast::LiteralKind::IntNumber(number) => match number.suffix() {
                Some(float) if FLOATS.contains(&float) => ValueKind::Float(Some(float.to_string())),
                suffix => ValueKind::Integer(suffix.map(str::to_string)),
            },
            ast::LiteralKind::FloatNumber(number) => {
                ValueKind::Float(number.suffix().map(str::to_string))
            }
            ast::LiteralKind::Bool(_) => ValueKind::Bool,
            ast::LiteralKind::Char(_) => ValueKind::Char,
            ast::LiteralKind::String(_) => ValueKind::Str,
            _ => ValueKind::Inferred,
        },
        other => {
            let text = other.syntax().text().to_string();
            let owned = [".to_string()", ".to_owned()", ".into()"]
                .iter()
                .any(|end| text.starts_with('"') && text.ends_with(end));
            if owned || text.starts_with("String::from(\"") {
                ValueKind::String
            } else {
                ValueKind::Inferred
            }
        }
    }
}

/// Returns the source of the injected cell, or the first invalid value. `values` are the names and
/// texts from the command line.
pub fn injected_source(
    declared: &[Declaration],
    values: &[(String, String)],
) -> Result<String, String> {
    let mut lines = vec!["// Parameters".to_string()];
    for (name, value) in values {
        // The cells below see the last of several declarations.
        let Some(declaration) = declared.iter().rev().find(|declaration| declaration.name == *name)
        else {
            let names: Vec<&str> =
                declared.iter().map(|declaration| declaration.name.as_str()).collect();
            let available = if names.is_empty() {
                "the parameters cell declares none".to_string()
            } else {
                format!("the notebook has {}", names.join(", "))
            };
            return Err(format!("unknown parameter `{name}`: {available}"));
        };
        let literal = literal(declaration, value)?;
        let mutable = if declaration.mutable { "mut " } else { "" };
        let ty = declaration.ty.as_ref().map_or(String::new(), |ty| format!(": {ty}"));
        lines.push(format!("let {mutable}{name}{ty} = {literal};"));
    }
    Ok(lines.join("\n"))
}

/// Converts a value to a Rust expression for its declaration.
fn literal(declaration: &Declaration, value: &str) -> Result<String, String> {
    let refuse = |expected: &str| {
        Err(format!("parameter `{}`: `{value}` is not {expected}", declaration.name))
    };
    let typed = declaration.ty.is_some();
    let suffix = |suffix: &Option<String>| {
        if typed {
            String::new()
        } else {
            suffix.as_ref().map_or(String::new(), |suffix| format!("_{suffix}"))
        }
    };
    match &declaration.kind {
        ValueKind::Integer(ty) => match (integer(value), value.parse::<f64>()) {
            (Some(number), _) if in_range(number, ty.as_deref()) => {
                Ok(format!("{number}{}", suffix(ty)))
            }
            (Some(_), _) => {
                refuse(&format!("within the range of {}", ty.as_deref().unwrap_or("i128")))
            }
            (None, Ok(number)) if ty.is_none() && number.is_finite() => Ok(format!("{number:?}")),
            _ => refuse(&format!(
                "an integer{}",
                ty.as_ref().map_or(String::new(), |ty| format!(" ({ty})"))
            )),
        },
        ValueKind::Float(ty) => match value.replace('_', "").parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(format!("{number:?}{}", suffix(ty))),
            _ => refuse("a number"),
        },
        ValueKind::Bool if value == "true" || value == "false" => Ok(value.to_string()),
        ValueKind::Bool => refuse("true or false"),
        ValueKind::Char if value.chars().count() == 1 => {
            Ok(format!("{:?}", value.chars().next().unwrap_or_default()))
        }
        ValueKind::Char => refuse("a single character"),
        ValueKind::Str => Ok(format!("{value:?}")),
        ValueKind::String => Ok(format!("String::from({value:?})")),
        ValueKind::Expression if ast::Expr::parse(value, Edition::Edition2024).ok().is_ok() => {
            Ok(value.to_string())
        }
        ValueKind::Expression => refuse(&format!(
            "a Rust expression for {}",
            declaration.ty.as_deref().unwrap_or_default()
        )),
        ValueKind::Inferred => Ok(inferred(value)),
    }
}

/// Guesses the literal from the text alone.
fn inferred(value: &str) -> String {
    if value == "true" || value == "false" {
        value.to_string()
    } else if let Some(number) = integer(value) {
        // rustc would assume i32 and reject larger values.
        if i32::try_from(number).is_ok() { number.to_string() } else { format!("{number}_i64") }
    } else if let Ok(number) = value.parse::<f64>()
        && number.is_finite()
    {
        format!("{number:?}")
    } else {
        format!("String::from({value:?})")
    }
}

/// Parses an integer, including forms such as `1_000_000` and `1e6`.
fn integer(text: &str) -> Option<i128> {
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() < 9.0e15;
    let plain = text.replace('_', "");
    let exponent = || {
        plain
            .contains(['e', 'E'])
            .then(|| plain.parse::<f64>().ok().filter(exact).map(|number| number as i128))
            .flatten()
    };
    plain.parse().ok().or_else(exponent)
}

fn in_range(number: i128, ty: Option<&str>) -> bool {
    match ty {
        Some("i8") => i8::try_from(number).is_ok(),
        Some("i16") => i16::try_from(number).is_ok(),
        Some("i32") => i32::try_from(number).is_ok(),
        Some("i64" | "isize") => i64::try_from(number).is_ok(),
        Some("u8") => u8::try_from(number).is_ok(),
        Some("u16") => u16::try_from(number).is_ok(),
        Some("u32") => u32::try_from(number).is_ok(),
        Some("u64" | "usize") => u64::try_from(number).is_ok(),
        Some("u128") => number >= 0,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inject(source: &str, name: &str, value: &str) -> Result<String, String> {
        let source =
            injected_source(&declarations(source), &[(name.to_string(), value.to_string())])?;
        Ok(source.strip_prefix("// Parameters\n").unwrap_or(&source).to_string())
    }

    #[test]
    fn keeps_a_declared_type() {
        assert_eq!(inject("let n: usize = 10;", "n", "5").unwrap(), "let n: usize = 5;");
        assert_eq!(inject("let n: usize = 10;", "n", "1e6").unwrap(), "let n: usize = 1000000;");
        assert_eq!(inject("let x: f64 = 1e6;", "x", "3").unwrap(), "let x: f64 = 3.0;");
        assert_eq!(
            inject("let mut s: String = String::new();", "s", "42").unwrap(),
            "let mut s: String = String::from(\"42\");"
        );
        assert_eq!(
            inject("let s: &str = \"a\";", "s", "say \"hi\"\n").unwrap(),
            "let s: &str = \"say \\\"hi\\\"\\n\";"
        );
        assert_eq!(
            inject("let v: Vec<u8> = vec![1];", "v", "vec![1, 2]").unwrap(),
            "let v: Vec<u8> = vec![1, 2];"
        );
    }

    #[test]
    fn keeps_the_kind_of_the_default() {
        assert_eq!(inject("let n = 10_u64;", "n", "5").unwrap(), "let n = 5_u64;");
        assert_eq!(inject("let x = -1.5;", "x", "3").unwrap(), "let x = 3.0;");
        assert_eq!(inject("let n = 10;", "n", "-2").unwrap(), "let n = -2;");
        assert_eq!(inject("let n = 10;", "n", "2.5").unwrap(), "let n = 2.5;");
        assert_eq!(
            inject("let name = \"a\".to_string();", "name", "7").unwrap(),
            "let name = String::from(\"7\");"
        );
        assert_eq!(inject("let flag = false;", "flag", "true").unwrap(), "let flag = true;");
        assert_eq!(inject("let n = 1u8 as usize;", "n", "9").unwrap(), "let n = 9_usize;");
    }

    #[test]
    fn infers_from_the_value_when_nothing_is_declared() {
        let source = "let a = default_size();";
        assert_eq!(inject(source, "a", "true").unwrap(), "let a = true;");
        assert_eq!(inject(source, "a", "12").unwrap(), "let a = 12;");
        assert_eq!(inject(source, "a", "5000000000").unwrap(), "let a = 5000000000_i64;");
        assert_eq!(inject(source, "a", "0.5").unwrap(), "let a = 0.5;");
        assert_eq!(
            inject(source, "a", "data/text.txt").unwrap(),
            "let a = String::from(\"data/text.txt\");"
        );
    }

    #[test]
    fn refuses_what_would_not_compile() {
        let refused = |source: &str, value: &str| inject(source, "n", value).unwrap_err();
        assert_eq!(
            refused("let n: u8 = 1;", "300"),
            "parameter `n`: `300` is not within the range of u8"
        );
        assert_eq!(
            refused("let n: usize = 1;", "many"),
            "parameter `n`: `many` is not an integer (usize)"
        );
        assert_eq!(refused("let n = true;", "yes"), "parameter `n`: `yes` is not true or false");
        assert_eq!(refused("let n: f64 = 1.0;", "inf"), "parameter `n`: `inf` is not a number");
        assert_eq!(
            refused("let n: Vec<u8> = vec![];", "vec![1"),
            "parameter `n`: `vec![1` is not a Rust expression for Vec<u8>"
        );
    }

    #[test]
    fn names_the_parameters_there_are() {
        let source = ":dep rand\nlet size = 3;\n// let no = 1;\nlet steps: u32 = 4;\nif true { \
            let inner = 1; }";
        assert_eq!(
            inject(source, "m", "1").unwrap_err(),
            "unknown parameter `m`: the notebook has size, steps"
        );
        assert_eq!(
            inject("", "m", "1").unwrap_err(),
            "unknown parameter `m`: the parameters cell declares none"
        );
    }
}
