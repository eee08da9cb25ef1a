//! Downloads the registry with one conditional HTTP request, bounded in time and size.

use std::io::Read as _;
use std::net::IpAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use indicatif::ProgressBar;
use reqwest::blocking::{Client, Response};
use reqwest::header::{
    CONTENT_ENCODING, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use crate::terminal::excerpt;
use crate::xml::MAX_OCTETS;

/// What to download.
#[derive(Clone, Debug)]
pub struct Request {
    /// The address: `https`, or `http` on this machine.
    pub url: String,
    /// The validators of an earlier response from the same address.
    pub validators: Validators,
    /// The time limit for everything: resolving names, connecting, retries, the body.
    pub timeout: Duration,
}

/// What a server sent to identify a version. It is stored in the snapshot's record, and sent back with the next
/// request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Validators {
    /// Takes the values of `ETag` and `Last-Modified`, and drops those that are malformed.
    pub fn new(etag: Option<String>, last_modified: Option<String>) -> Validators {
        Validators {
            etag: etag.filter(|tag| is_entity_tag(tag)),
            last_modified: last_modified.filter(|date| is_date(date)),
        }
    }

    /// Returns the value of `ETag`.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Returns the value of `Last-Modified`.
    pub fn last_modified(&self) -> Option<&str> {
        self.last_modified.as_deref()
    }
}

/// The response.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// 304: the version with these validators is still current.
    NotModified,
    /// A body and its validators.
    Body(Vec<u8>, Validators),
}

const RETRIES: u32 = 2;
const MAX_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A request is aborted a little after the deadline, so that [`fetch`], which waits for it, reports the timeout.
const GRACE: Duration = Duration::from_secs(1);
/// The maximum length of an entity tag, in octets. RFC 9110 §8.8.3 has no limit.
const MAX_ENTITY_TAG: usize = 1 << 10;
/// The maximum number of digits in a `Retry-After` value.
const MAX_DELAY: usize = 9;
const USER_AGENT: &str = concat!("smtp-enhanced-status-xtask/", env!("CARGO_PKG_VERSION"));

/// Downloads the registry. This happens in another thread, because resolving a name cannot be aborted, but waiting for
/// the thread can.
pub fn fetch(request: &Request) -> Result<Fetched> {
    let url = Url::parse(&request.url).with_context(|| {
        format!("{:?} is not an address; write one that begins with https://", request.url)
    })?;
    check_address(&url)?;
    let deadline = Instant::now() + request.timeout;
    let (sender, receiver) = mpsc::channel();
    let (validators, shown) = (request.validators.clone(), url.clone());
    thread::spawn(move || sender.send(with_retries(&url, &validators, deadline)));
    match receiver.recv_timeout(request.timeout) {
        Ok(answer) => answer.with_context(|| format!("cannot download the registry from {shown}")),
        Err(RecvTimeoutError::Timeout) => bail!(
            "no complete response from {shown} within {} s; try again, raise --timeout of `sync`, or name a file instead",
            request.timeout.as_secs_f32()
        ),
        Err(RecvTimeoutError::Disconnected) => bail!("the download ended without a result; try again"),
    }
}

/// Allows `https`, and `http` to a loopback address, for mirrors and tests on this machine.
fn check_address(url: &Url) -> Result<()> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => {
            bail!("{} is not encrypted; use https://, or name a file that you trust", excerpt(url.as_str()))
        }
        scheme => bail!("the scheme {} is not supported; write an https:// address", excerpt(scheme)),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Retries after a connection error or a server error (5xx), but not after any other error.
fn with_retries(url: &Url, validators: &Validators, deadline: Instant) -> Result<Fetched> {
    let client = client()?;
    let mut pause = Duration::from_millis(250);
    for attempt in 0.. {
        match once(&client, url, validators, deadline) {
            Err(Failure::Passing(error)) if attempt < RETRIES => {
                let rest = deadline.saturating_duration_since(Instant::now());
                ensure!(
                    rest > pause,
                    error.context("no time is left for another attempt; raise --timeout of `sync`")
                );
                thread::sleep(pause);
                pause *= 4;
            }
            Err(Failure::Passing(error)) => {
                return Err(error.context(format!("tried {} times; try again later", RETRIES + 1)));
            }
            Err(Failure::Final(error)) => return Err(error),
            Ok(fetched) => return Ok(fetched),
        }
    }
    bail!("no attempt was made")
}

/// Why an attempt failed. After a `Passing` error, another attempt may succeed.
enum Failure {
    Passing(Error),
    Final(Error),
}

fn client() -> Result<Client> {
    // It fails only if a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = Policy::custom(|attempt| {
        let encrypted = attempt.previous().iter().any(|url| url.scheme() == "https");
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error(format!("more than {MAX_REDIRECTS} redirects"))
        } else if encrypted && attempt.url().scheme() != "https" {
            let error = format!("redirected from https to {}", excerpt(attempt.url().as_str()));
            attempt.error(error)
        } else if let Err(error) = check_address(attempt.url()) {
            attempt.error(format!("{error:#}"))
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirects)
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .context("cannot set up TLS; install root certificates (Debian: ca-certificates)")
}

fn once(client: &Client, url: &Url, validators: &Validators, deadline: Instant) -> Result<Fetched, Failure> {
    let rest = deadline.saturating_duration_since(Instant::now());
    let mut request = client.get(url.clone()).timeout(rest + GRACE);
    for (name, value) in [(IF_NONE_MATCH, validators.etag()), (IF_MODIFIED_SINCE, validators.last_modified())]
    {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let response = request.send().map_err(|error| {
        let passing = !error.is_redirect() && !error.is_builder() && !is_about_certificates(&error);
        let error = explained(error.without_url());
        if passing { Failure::Passing(error) } else { Failure::Final(error) }
    })?;
    match response.status() {
        StatusCode::NOT_MODIFIED if *validators != Validators::default() => Ok(Fetched::NotModified),
        StatusCode::OK => body(response),
        StatusCode::TOO_MANY_REQUESTS => Err(Failure::Final(anyhow!(
            "the server answered 429 Too Many Requests; try again {}",
            match header(response.headers(), &RETRY_AFTER) {
                Some(after) if is_delay(&after) => format!("after {after} s"),
                Some(after) if is_date(&after) => format!("after {after}"),
                _ => "later".to_owned(),
            }
        ))),
        status if status.is_server_error() => Err(Failure::Passing(anyhow!("the server answered {status}"))),
        status => Err(Failure::Final(anyhow!("the server answered {status}; check the address"))),
    }
}

/// Reads the body, up to the maximum size of a registry.
fn body(mut response: Response) -> Result<Fetched, Failure> {
    if let Some(encoding) =
        header(response.headers(), &CONTENT_ENCODING).filter(|encoding| encoding != "identity")
    {
        return Err(Failure::Final(anyhow!(
            "the body has the content encoding {}, which was not requested; a proxy may be in the way; if so, name \
             a file instead",
            excerpt(&encoding)
        )));
    }
    let headers = response.headers();
    let validators = Validators::new(header(headers, &ETAG), header(headers, &LAST_MODIFIED));
    let progress = match response.content_length() {
        Some(length) => ProgressBar::new(length),
        None => ProgressBar::new_spinner(),
    };
    let mut octets = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        match response.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => octets.extend_from_slice(&chunk[..length]),
            Err(error) => {
                let error =
                    Error::from(error).context(format!("the body ended after {} octets", octets.len()));
                return Err(Failure::Passing(error));
            }
        }
        if octets.len() > MAX_OCTETS {
            return Err(Failure::Final(anyhow!(
                "the body has more than {MAX_OCTETS} octets, the limit for a registry; check the address"
            )));
        }
        progress.set_position(octets.len() as u64);
    }
    progress.finish_and_clear();
    Ok(Fetched::Body(octets, validators))
}

fn header(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Returns whether a text has the form `"..."` or `W/"..."`, with visible characters (RFC 9110 §8.8.3).
fn is_entity_tag(text: &str) -> bool {
    let opaque = text.strip_prefix("W/").unwrap_or(text);
    let quoted = opaque.strip_prefix('"').and_then(|opaque| opaque.strip_suffix('"'));
    let is_visible = |octet: u8| octet.is_ascii_graphic() && octet != b'"';
    text.len() <= MAX_ENTITY_TAG && quoted.is_some_and(|quoted| quoted.bytes().all(is_visible))
}

/// Returns whether a text is a date in the form that servers must send (RFC 9110 §5.6.7).
fn is_date(text: &str) -> bool {
    const FORM: &[u8] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    let has_form = |(octet, form): (u8, &u8)| match form {
        b'A' => octet.is_ascii_uppercase(),
        b'a' => octet.is_ascii_lowercase(),
        b'0' => octet.is_ascii_digit(),
        form => octet == *form,
    };
    text.len() == FORM.len() && text.bytes().zip(FORM).all(has_form)
}

/// Returns whether a text is a number of seconds (RFC 9110 §10.2.3).
fn is_delay(text: &str) -> bool {
    (1..=MAX_DELAY).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

fn is_about_certificates(error: &reqwest::Error) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().contains("certificate") {
            return true;
        }
        source = error.source();
    }
    false
}

/// Adds advice to errors for which another attempt does not help.
fn explained(error: reqwest::Error) -> Error {
    let advice = if is_about_certificates(&error) {
        "the server's certificate is not trusted; install root certificates (Debian: ca-certificates), or set \
         SSL_CERT_FILE to a file of them"
    } else if error.is_redirect() {
        "the address redirects to something that is not a registry; check it"
    } else {
        return error.into();
    };
    Error::from(error).context(advice)
}

#[cfg(test)]
mod tests {
    use super::{MAX_ENTITY_TAG, Validators, is_delay};

    #[test]
    fn malformed_validators_are_dropped() {
        let longest = format!("\"{}\"", "x".repeat(MAX_ENTITY_TAG - 2));
        for tag in ["\"1\"", "W/\"a-b\"", "\"\"", "\"\\x!\"", &longest] {
            assert_eq!(Validators::new(Some(tag.to_owned()), None).etag(), Some(tag));
        }
        let long = format!("\"{}\"", "x".repeat(MAX_ENTITY_TAG - 1));
        for tag in
            ["", "1", "\"", "w/\"1\"", "\"1", "1\"", "\"a\"b\"", "\"a b\"", "\"\u{e9}\"", "\"\u{7f}\"", &long]
        {
            assert_eq!(Validators::new(Some(tag.to_owned()), None), Validators::default(), "{tag}");
        }
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(Validators::new(None, Some(date.to_owned())).last_modified(), Some(date));
        for date in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
        ] {
            assert_eq!(Validators::new(None, Some(date.to_owned())), Validators::default(), "{date}");
        }
        assert!(is_delay("7") && !is_delay("") && !is_delay("-7") && !is_delay("1234567890"));
    }
}
