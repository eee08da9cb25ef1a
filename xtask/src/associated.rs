//! The column "Associated Basic Status Code", in every form that IANA uses.

use crate::code::{Class, Classes, ReplyCode};

/// The reply codes that a row is associated with.
///
/// The registry's list is not exclusive (RFC 5248 §2.1). Its forms mean different things, so they are kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Associated {
    /// The form of the cell.
    pub form: Form,
    /// The codes that the cell lists, in its order.
    pub codes: Vec<ReplyCode>,
    /// The whole classes that the cell lists: `5XX`, or `(other 4XX or 5XX codes are allowed)`.
    pub class_wildcards: Classes,
}

/// The forms of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `Any`: every reply code of the same class.
    Any,
    /// `Not given`: not known yet, which does not mean "none".
    NotGiven,
    /// An empty cell, or one that a quirk reads as empty.
    NoData,
    /// Codes or class wildcards: `451, 550`, `250 or 251`, `451/550`, `5XX`.
    List,
    /// Codes, with a note that other codes are allowed.
    OpenList,
}

impl Associated {
    /// Parses the cell's text, whose white space must be collapsed. Returns `None` if it has no known form.
    pub fn parse(text: &str) -> Option<Associated> {
        let bare = |form| Associated { form, codes: Vec::new(), class_wildcards: Classes::default() };
        match text {
            "" => Some(bare(Form::NoData)),
            "Any" => Some(bare(Form::Any)),
            "Not given" => Some(bare(Form::NotGiven)),
            _ => {
                let mut associated = bare(Form::List);
                let list = match text.strip_suffix(" codes are allowed)") {
                    None => text,
                    Some(open) => {
                        let (list, others) = open.split_once(" (other ")?;
                        associated.form = Form::OpenList;
                        for wildcard in others.split(" or ") {
                            associated.insert_wildcard(class_wildcard(wildcard)?)?;
                        }
                        list
                    }
                };
                associated.read_list(list)?;
                Some(associated)
            }
        }
    }

    /// Returns how the list covers a reply code. The class of the enhanced status code must match.
    pub fn listing(&self, reply_code: ReplyCode) -> Option<Listing> {
        let class = reply_code.class()?;
        if self.form == Form::Any {
            return Some(Listing::Any);
        }
        if self.codes.contains(&reply_code) {
            return Some(Listing::Exact);
        }
        self.class_wildcards.contains(class).then_some(Listing::ClassWildcard)
    }

    /// Returns whether the cell lists anything: `Any`, codes or classes.
    pub fn has_list(&self) -> bool {
        matches!(self.form, Form::Any | Form::List | Form::OpenList)
    }

    /// Returns the classes of the codes and wildcards.
    pub fn classes(&self) -> Classes {
        let listed = self.codes.iter().filter_map(|code| code.class());
        listed.chain(self.class_wildcards.iter()).collect()
    }

    fn read_list(&mut self, list: &str) -> Option<()> {
        for item in list.replace(" or ", ",").split([',', '/']).map(str::trim) {
            if let Some(class) = class_wildcard(item) {
                self.insert_wildcard(class)?;
                continue;
            }
            // A 3yz reply has no enhanced status code (RFC 2034 §4), so no row may list one.
            let code = ReplyCode::parse(item).filter(|code| code.class().is_some())?;
            if self.codes.contains(&code) {
                return None;
            }
            self.codes.push(code);
        }
        Some(())
    }

    /// Adds a class, and returns `None` if it is already there.
    fn insert_wildcard(&mut self, class: Class) -> Option<()> {
        (!self.class_wildcards.contains(class)).then(|| self.class_wildcards.insert(class))
    }
}

/// How a row lists a reply code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It lists the code itself.
    Exact,
    /// It lists the code's class.
    ClassWildcard,
    /// It lists `Any`.
    Any,
}

fn class_wildcard(text: &str) -> Option<Class> {
    Class::parse(text.strip_suffix("XX")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Form, Vec<u16>, Vec<u8>) {
        let read = Associated::parse(text).unwrap_or_else(|| panic!("{text:?} is refused"));
        let codes = read.codes.iter().map(|code| code.number()).collect();
        (read.form, codes, read.class_wildcards.iter().map(Class::digit).collect())
    }

    #[test]
    fn every_form_is_parsed() {
        assert_eq!(parse(""), (Form::NoData, vec![], vec![]));
        assert_eq!(parse("Any"), (Form::Any, vec![], vec![]));
        assert_eq!(parse("Not given"), (Form::NotGiven, vec![], vec![]));
        assert_eq!(parse("550"), (Form::List, vec![550], vec![]));
        assert_eq!(parse("252, 553, 550"), (Form::List, vec![252, 553, 550], vec![]));
        assert_eq!(parse("250 or 251"), (Form::List, vec![250, 251], vec![]));
        assert_eq!(parse("451/550"), (Form::List, vec![451, 550], vec![]));
        assert_eq!(parse("5XX"), (Form::List, vec![], vec![5]));
        assert_eq!(
            parse("450, 550 (other 4XX or 5XX codes are allowed)"),
            (Form::OpenList, vec![450, 550], vec![4, 5])
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            ".",
            "any",
            "5501",
            "55",
            "199",
            "600",
            "354",
            "550,",
            "550 551",
            "550, 550",
            "3XX",
            "5xx",
            "+5XX",
            "5XX, 5XX",
            "250 or",
            "550 (other +4XX codes are allowed)",
            "550 (other 5XX or 5XX codes are allowed)",
        ] {
            assert_eq!(Associated::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_code_is_listed_by_itself_by_its_class_or_by_any() {
        let listing = |cell, code| Associated::parse(cell).unwrap().listing(ReplyCode::new(code).unwrap());
        assert_eq!(listing("451, 550", 550), Some(Listing::Exact));
        assert_eq!(listing("451, 550", 551), None);
        assert_eq!(listing("5XX", 551), Some(Listing::ClassWildcard));
        assert_eq!(listing("5XX", 451), None);
        assert_eq!(listing("Any", 451), Some(Listing::Any));
        assert_eq!(listing("Any", 354), None);
        assert_eq!(listing("Not given", 550), None);
        assert_eq!(listing("552 (other 4XX or 5XX codes are allowed)", 451), Some(Listing::ClassWildcard));
    }
}
