//! What a refusal is about, and what to do about it.

use core::fmt;

use crate::Class;
use crate::generated::explain::CATEGORIES;

pub use crate::generated::explain::Category;

impl Category {
    /// Returns all categories.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert!(Category::all().any(|category| category == Category::Greylisted));
    /// ```
    pub fn all() -> impl Iterator<Item = Category> {
        CATEGORIES.iter().map(|entry| entry.category)
    }

    /// Returns the category with this id, or `None` if there is none.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert_eq!(Category::from_id("greylisted"), Some(Category::Greylisted));
    /// assert_eq!(Category::from_id("Greylisted"), None);
    /// ```
    #[must_use]
    pub fn from_id(id: &str) -> Option<Category> {
        CATEGORIES.iter().find(|entry| entry.id == id).map(|entry| entry.category)
    }

    /// Returns the stable name: lower case letters and hyphens.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert_eq!(Category::NoSuchRecipient.id(), "no-such-recipient");
    /// ```
    #[must_use]
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// Returns what a reply of this category says, in one sentence.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert_eq!(Category::MailboxFull.meaning(), "The mailbox is over its quota.");
    /// ```
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// Returns what the sender does, if nothing more precise is known.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert!(Category::RateLimited.sender().contains("more slowly"));
    /// ```
    #[must_use]
    pub fn sender(self) -> &'static str {
        self.entry().sender
    }

    /// Returns what the administrator of the receiving server does, if nothing more precise is known.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert!(Category::MailboxFull.administrator().contains("quota"));
    /// ```
    #[must_use]
    pub fn administrator(self) -> &'static str {
        self.entry().administrator
    }

    /// Returns whose matter it is.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::{Category, Matter};
    /// assert_eq!(Category::BadReputation.matter(), Matter::SenderReputation);
    /// ```
    #[must_use]
    pub fn matter(self) -> Matter {
        self.entry().matter
    }

    /// Returns how long until another try makes sense, or `None` if nothing can be said. This is advice, not a promise
    /// of any server.
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert_eq!(Category::MailboxFull.wait(), Some("hours to days"));
    /// ```
    #[must_use]
    pub fn wait(self) -> Option<&'static str> {
        self.entry().wait
    }

    /// Returns what to do after a reply of this category and class, or `None` if nothing has to be done.
    ///
    /// ```
    /// # use smtp_enhanced_status::{Class, explain::{Action, Category, ListAction, Retry}};
    /// let action = Category::MailboxDisabled.action(Class::Permanent);
    /// assert_eq!(action, Some(Action { retry: Retry::Never, list: ListAction::Remove }));
    /// assert_eq!(Category::Accepted.action(Class::Success), None);
    /// ```
    #[must_use]
    pub fn action(self, class: Class) -> Option<Action> {
        match class {
            Class::Success => None,
            Class::Transient => self.entry().transient,
            Class::Permanent => self.entry().permanent,
        }
    }

    /// Returns the name that another taxonomy gives to such a reply, or `None` if it has none. The taxonomies are
    /// those of [`TAXONOMIES`].
    ///
    /// ```
    /// # use smtp_enhanced_status::explain::Category;
    /// assert_eq!(Category::MailboxFull.name_in("kumomta"), Some("QuotaIssues"));
    /// assert_eq!(Category::MailboxFull.name_in("nobody"), None);
    /// ```
    #[must_use]
    pub fn name_in(self, taxonomy: &str) -> Option<&'static str> {
        self.entry().names.iter().find(|(name, _)| *name == taxonomy).map(|(_, name)| *name)
    }

    fn entry(self) -> &'static CategoryEntry {
        &CATEGORIES[self as usize]
    }
}

/// Writes the id.
impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// The taxonomies that [`Category::name_in`] knows.
///
/// ```
/// use smtp_enhanced_status::explain::TAXONOMIES;
///
/// assert!(TAXONOMIES.contains(&"sisimai"));
/// ```
pub const TAXONOMIES: [&str; 9] =
    ["kumomta", "mailgun", "mandrill", "postmark", "powermta", "sendgrid", "ses", "sisimai", "sparkpost"];

/// A row of the table of categories.
#[derive(Debug)]
pub(crate) struct CategoryEntry {
    pub(crate) category: Category,
    pub(crate) id: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) administrator: &'static str,
    pub(crate) matter: Matter,
    pub(crate) wait: Option<&'static str>,
    pub(crate) transient: Option<Action>,
    pub(crate) permanent: Option<Action>,
    pub(crate) names: &'static [(&'static str, &'static str)],
}

/// What to do after a refusal.
///
/// ```
/// use smtp_enhanced_status::{Class, explain::{Category, ListAction, Retry}};
///
/// let action = Category::RateLimited.action(Class::Transient).expect("a refusal has an action");
/// assert_eq!((action.retry, action.list), (Retry::Later, ListAction::Keep));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    /// Whether to try again.
    pub retry: Retry,
    /// What the owner of a list does with the address.
    pub list: ListAction,
}

/// Defines an enumeration with a stable name for each variant.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Returns the stable name: lower case letters and hyphens.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use named;

named! {
    /// Whether to try again.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::Retry;
    ///
    /// assert_eq!(Retry::AfterFix.as_str(), "after-fix");
    /// ```
    Retry {
        /// Not to this recipient.
        Never = "never",
        /// Later; nothing else is needed.
        Later = "later",
        /// The queue tries again, but it helps only after something was changed.
        LaterAndFix = "later-and-fix",
        /// Not before something was changed.
        AfterFix = "after-fix",
    }
}

named! {
    /// What the owner of a list does with an address.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::ListAction;
    ///
    /// assert_eq!(ListAction::Pause.as_str(), "pause");
    /// ```
    ListAction {
        /// Removes it.
        Remove = "remove",
        /// Counts, and removes it after repeats.
        Pause = "pause",
        /// Keeps it.
        Keep = "keep",
    }
}

named! {
    /// Whose matter a refusal is.
    ///
    /// ```
    /// use smtp_enhanced_status::explain::Matter;
    ///
    /// assert_eq!(Matter::SenderContent.as_str(), "sender-content");
    /// ```
    Matter {
        /// The address of the recipient.
        RecipientAddress = "recipient-address",
        /// The mailbox of the recipient.
        RecipientMailbox = "recipient-mailbox",
        /// The content of the message.
        SenderContent = "sender-content",
        /// What is known of the sender.
        SenderReputation = "sender-reputation",
        /// SPF, DKIM, DMARC or ARC of the sender.
        SenderAuthentication = "sender-authentication",
        /// The sender's set-up: names, DNS, logins, TLS.
        SenderConfiguration = "sender-configuration",
        /// The receiver's rules.
        ReceiverPolicy = "receiver-policy",
        /// The receiver's machines.
        ReceiverSystem = "receiver-system",
        /// The way between the two.
        Network = "network",
        /// The commands of either side.
        Protocol = "protocol",
        /// Nobody's: nothing failed.
        Nobody = "nobody",
        /// It cannot be told.
        Unknown = "unknown",
    }
}
