//! The situations that the server has a reply for.

macro_rules! keys {
    ($($name:ident = $text:literal,)*) => {
        /// A situation, and the name of its reply in `replies.toml`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the situation of its name")]
        pub enum Key {
            $($name,)*
        }

        impl Key {
            /// Every key.
            pub const ALL: &[Key] = &[$(Key::$name,)*];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Key::$name => $text,)*
                }
            }
        }
    };
}

keys! {
    Greeting = "greeting",
    Refused = "refused",
    Ehlo = "ehlo",
    Helo = "helo",
    HelloSyntax = "hello-syntax",
    HelloUnknown = "hello-unknown",
    HelloMismatch = "hello-mismatch",
    Mail = "mail",
    MailIndented = "mail-indented",
    MailNullSender = "mail-null-sender",
    MailInvalidDomain = "mail-invalid-domain",
    MailDeclaresSize = "mail-declares-size",
    MailDsn = "mail-dsn",
    MailAuth = "mail-auth",
    MailBody = "mail-body",
    MailUtf8 = "mail-utf8",
    MailDeliverBy = "mail-deliver-by",
    MailHold = "mail-hold",
    MailPriority = "mail-priority",
    MailPriorityChanged = "mail-priority-changed",
    MailBeforeHello = "mail-before-hello",
    MailNested = "mail-nested",
    MailSyntax = "mail-syntax",
    MailPath = "mail-path",
    MailPathTooLong = "mail-path-too-long",
    MailDomain = "mail-domain",
    MailNonAscii = "mail-non-ascii",
    MailParameterSyntax = "mail-parameter-syntax",
    MailParameterUnknown = "mail-parameter-unknown",
    Conperm = "conperm",
    Submitter = "submitter",
    Transid = "transid",
    SizeAboveLimit = "size-above-limit",
    SizeValue = "size-value",
    BodyValue = "body-value",
    MailDsnValue = "mail-dsn-value",
    MailAuthValue = "mail-auth-value",
    Utf8Value = "utf8-value",
    DeliverByValue = "deliver-by-value",
    PriorityValue = "priority-value",
    HoldValue = "hold-value",
    Solicitation = "solicitation",
    Rcpt = "rcpt",
    RcptPostmaster = "rcpt-postmaster",
    RcptForwarded = "rcpt-forwarded",
    RcptRelayed = "rcpt-relayed",
    RcptDsn = "rcpt-dsn",
    RcptBeforeMail = "rcpt-before-mail",
    RcptAfterBdat = "rcpt-after-bdat",
    RcptSyntax = "rcpt-syntax",
    RcptPath = "rcpt-path",
    RcptPathTooLong = "rcpt-path-too-long",
    RcptDomain = "rcpt-domain",
    RcptNonAscii = "rcpt-non-ascii",
    RcptParameterSyntax = "rcpt-parameter-syntax",
    RcptParameterUnknown = "rcpt-parameter-unknown",
    Conneg = "conneg",
    RcptDsnValue = "rcpt-dsn-value",
    RrvsValue = "rrvs-value",
    OwnerChanged = "owner-changed",
    RcptUnknown = "rcpt-unknown",
    RcptFull = "rcpt-full",
    RelayDenied = "relay-denied",
    TooManyRecipients = "too-many-recipients",
    Greylisted = "greylisted",
    Data = "data",
    DataArgument = "data-argument",
    DataBeforeMail = "data-before-mail",
    DataNoRecipient = "data-no-recipient",
    DataAfterBdat = "data-after-bdat",
    DataBinarymime = "data-binarymime",
    Message = "message",
    MessageUtf8 = "message-utf8",
    MessageResent = "message-resent",
    MessageDeclaredSize = "message-declared-size",
    MessageFull = "message-full",
    MessageTooBig = "message-too-big",
    MessageLineEnds = "message-line-ends",
    MessageNoRecipient = "message-no-recipient",
    Bdat = "bdat",
    BdatLast = "bdat-last",
    BdatSyntax = "bdat-syntax",
    BdatBeforeMail = "bdat-before-mail",
    BdatNoRecipient = "bdat-no-recipient",
    BdatAfterLast = "bdat-after-last",
    BdatAfterFailure = "bdat-after-failure",
    BdatTooBig = "bdat-too-big",
    BurlSyntax = "burl-syntax",
    BurlBeforeMail = "burl-before-mail",
    BurlNoRecipient = "burl-no-recipient",
    BurlUntrusted = "burl-untrusted",
    Rset = "rset",
    RsetArgument = "rset-argument",
    Noop = "noop",
    NoopArgument = "noop-argument",
    Quit = "quit",
    QuitArgument = "quit-argument",
    Vrfy = "vrfy",
    VrfyForwarded = "vrfy-forwarded",
    VrfyForeign = "vrfy-foreign",
    VrfyUnknown = "vrfy-unknown",
    VrfyUtf8 = "vrfy-utf8",
    VrfyArgument = "vrfy-argument",
    Expn = "expn",
    ExpnUnknown = "expn-unknown",
    ExpnArgument = "expn-argument",
    Help = "help",
    HelpTopic = "help-topic",
    HelpUnknown = "help-unknown",
    Etrn = "etrn",
    EtrnForeign = "etrn-foreign",
    EtrnSyntax = "etrn-syntax",
    EtrnBeforeHello = "etrn-before-hello",
    EtrnInTransaction = "etrn-in-transaction",
    Atrn = "atrn",
    Starttls = "starttls",
    StarttlsArgument = "starttls-argument",
    StarttlsActive = "starttls-active",
    StarttlsBeforeHello = "starttls-before-hello",
    TlsRequired = "tls-required",
    AuthRequired = "auth-required",
    AuthSuccess = "auth-success",
    AuthFailure = "auth-failure",
    AuthPlainChallenge = "auth-plain-challenge",
    AuthLoginUser = "auth-login-user",
    AuthLoginPassword = "auth-login-password",
    AuthCramChallenge = "auth-cram-challenge",
    AuthSyntax = "auth-syntax",
    AuthMechanismUnknown = "auth-mechanism-unknown",
    AuthCancelled = "auth-cancelled",
    AuthInitialResponse = "auth-initial-response",
    AuthBase64 = "auth-base64",
    AuthLineTooLong = "auth-line-too-long",
    AuthTwice = "auth-twice",
    AuthInTransaction = "auth-in-transaction",
    AuthBeforeHello = "auth-before-hello",
    UnknownCommand = "unknown-command",
    UnknownPrivateCommand = "unknown-private-command",
    NotImplemented = "not-implemented",
    EmptyLine = "empty-line",
    BareLf = "bare-lf",
    LineTooLong = "line-too-long",
    Idle = "idle",
    TooMuch = "too-much",
    Shutdown = "shutdown",
}

impl Key {
    /// The key of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Key> {
        Key::ALL.iter().copied().find(|key| key.name() == name)
    }
}
