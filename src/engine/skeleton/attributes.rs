//! Which attributes and documentation a skeleton keeps.

use super::cfg::Cfg;
use ra_ap_syntax::ast::{self, AstNode, HasAttrs, Meta};

/// Attributes that neither influence types nor appear in completion or help.
const IGNORED: &[&str] = &[
    "allow",
    "automatically_derived",
    "cold",
    "coverage",
    "deny",
    "diagnostic",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "miri",
    "no_sanitize",
    "optimize",
    "rustc_allow_const_fn_unstable",
    "rustc_allowed_through_unstable_modules",
    "rustc_as_ptr",
    "rustc_confusables",
    "rustc_const_panic_str",
    "rustc_const_stable",
    "rustc_const_stable_indirect",
    "rustc_const_unstable",
    "rustc_diagnostic_item",
    "rustc_do_not_const_check",
    "rustc_doc_primitive_never",
    "rustc_inherit_overflow_checks",
    "rustc_insignificant_dtor",
    "rustc_lint_query_instability",
    "rustc_lint_untracked_query_information",
    "rustc_never_returns_null_ptr",
    "rustc_no_implicit_autorefs",
    "rustc_nonnull_optimization_guaranteed",
    "rustc_on_unimplemented",
    "rustc_preserve_ub_checks",
    "rustc_promotable",
    "rustc_pub_transparent",
    "rustc_should_not_be_called_on_const_items",
    "rustc_trivial_field_reads",
    "rustfmt",
    "rustc_std_internal_symbol",
    "sanitize",
    "stable",
    "target_feature",
    "track_caller",
    "warn",
    "clippy",
];

/// The first paragraph of an item's documentation.
pub struct Paragraph {
    open: bool,
    begun: bool,
}

impl Paragraph {
    /// `wanted`: whether the item is visible to cells.
    pub fn new(wanted: bool) -> Paragraph {
        Paragraph { open: wanted, begun: false }
    }

    /// Whether this comment belongs to the paragraph.
    pub fn takes(&mut self, comment: &str) -> bool {
        let text = comment.trim_start_matches(['/', '!', '*']).trim();
        if text.is_empty() {
            self.open &= !self.begun;
            return false;
        }
        self.begun = true;
        self.open
    }
}

/// The text of this attribute in the skeleton: empty, unchanged, or the attributes of a `cfg_attr`.
pub fn kept(attribute: &ast::Attr, cfg: &Cfg, paragraph: &mut Paragraph) -> String {
    let Some(meta) = attribute.meta() else { return String::new() };
    let sign = if attribute.excl_token().is_some() { "#!" } else { "#" };
    let mut text = String::new();
    write(&meta, sign, cfg, paragraph, &mut text);
    text
}

fn write(meta: &Meta, sign: &str, cfg: &Cfg, paragraph: &mut Paragraph, out: &mut String) {
    if let Meta::CfgAttrMeta(conditional) = meta {
        match conditional.cfg_predicate().and_then(|predicate| cfg.holds(&predicate)) {
            Some(false) => {}
            Some(true) => {
                conditional.metas().for_each(|meta| write(&meta, sign, cfg, paragraph, out))
            }
            None => out.push_str(&format!("{sign}[{}]\n", meta.syntax().text())),
        }
        return;
    }
    let kept = match (name(meta).as_str(), meta) {
        // If the condition is false, the item has already been removed.
        ("cfg", Meta::CfgMeta(condition)) => {
            match condition.cfg_predicate().and_then(|predicate| cfg.holds(&predicate)) {
                Some(true) => None,
                _ => Some(meta.syntax().text().to_string()),
            }
        }
        ("doc", Meta::KeyValueMeta(value)) => {
            let text =
                value.expr().map(|value| value.syntax().text().to_string()).unwrap_or_default();
            let plain = !text.contains("include_str");
            (plain && paragraph.takes(text.trim_matches('"')))
                .then(|| meta.syntax().text().to_string())
        }
        ("doc", meta) => {
            let text = meta.syntax().text().to_string();
            let matters =
                ["hidden", "notable_trait", "keyword"].iter().any(|word| text.contains(word));
            matters.then_some(text)
        }
        ("unstable", meta) => Some(unstable(&meta.syntax().text().to_string())),
        ("deprecated", _) => Some("deprecated".to_owned()),
        (name, _) if IGNORED.contains(&name) => None,
        _ => Some(meta.syntax().text().to_string()),
    };
    if let Some(kept) = kept {
        out.push_str(&format!("{sign}[{kept}]\n"));
    }
}

/// The first word of an attribute.
fn name(meta: &Meta) -> String {
    let text = match meta {
        Meta::CfgMeta(_) => return "cfg".to_owned(),
        Meta::CfgAttrMeta(_) => return "cfg_attr".to_owned(),
        Meta::UnsafeMeta(inner) => return inner.meta().map(|meta| name(&meta)).unwrap_or_default(),
        Meta::KeyValueMeta(meta) => meta.path(),
        Meta::PathMeta(meta) => meta.path(),
        Meta::TokenTreeMeta(meta) => meta.path(),
    };
    let text = text.map(|path| path.syntax().text().to_string()).unwrap_or_default();
    text.split("::").next().unwrap_or_default().trim().to_owned()
}

/// Whether an item is not compiled on this machine, or only for tests.
pub fn is_left_out(item: &impl HasAttrs, cfg: &Cfg) -> bool {
    item.attrs()
        .filter(|attribute| attribute.excl_token().is_none())
        .filter_map(|attribute| attribute.meta())
        .any(|meta| match &meta {
            Meta::CfgMeta(condition) => {
                condition.cfg_predicate().and_then(|predicate| cfg.holds(&predicate)) == Some(false)
            }
            _ => ["test", "bench"].contains(&name(&meta).as_str()),
        })
}

/// The value of `#[path = "…"]`.
pub fn path(item: &impl HasAttrs, cfg: &Cfg) -> Option<String> {
    fn of(meta: &Meta, cfg: &Cfg) -> Option<String> {
        match meta {
            Meta::KeyValueMeta(value) if name(meta) == "path" => {
                Some(value.expr()?.syntax().text().to_string().trim_matches('"').to_owned())
            }
            Meta::CfgAttrMeta(conditional)
                if cfg.holds(&conditional.cfg_predicate()?) == Some(true) =>
            {
                conditional.metas().find_map(|meta| of(&meta, cfg))
            }
            _ => None,
        }
    }
    item.attrs().filter_map(|attribute| attribute.meta()).find_map(|meta| of(&meta, cfg))
}

/// What remains of an attribute, `[name …]`, in the definition of a macro.
pub fn kept_in_macro(text: &str) -> Option<String> {
    let text = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let name: String = text
        .chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect();
    match name.as_str() {
        "doc" => text.contains("hidden").then(|| text.to_owned()),
        "unstable" => Some(unstable(text)),
        "deprecated" => Some(name),
        name if IGNORED.contains(&name) => None,
        _ => Some(text.to_owned()),
    }
}

fn unstable(text: &str) -> String {
    let feature = text.split("feature").nth(1).and_then(|rest| rest.split('"').nth(1));
    feature.map_or("unstable".to_owned(), |feature| format!("unstable(feature = \"{feature}\")"))
}
