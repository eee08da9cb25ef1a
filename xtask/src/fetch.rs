//! The registry over HTTP: one polite conditional request, bounded in time and size.

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

use crate::xml::MAX_OCTETS;

/// What to ask for.
#[derive(Clone, Debug)]
pub struct Request {
    /// An `https` address; `http` to this machine only.
    pub url: String,
    /// Validators of an earlier answer from the same address.
    pub validators: Validators,
    /// The time for everything: names, connections, retries, the body.
    pub timeout: Duration,
}

/// What a server gave to recognise a version by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// The answer.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// 304: the validators still hold.
    NotModified,
    /// A body with its validators.
    Body(Vec<u8>, Validators),
}

const RETRIES: u32 = 2;
const MAX_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer that comes too late is given up a little after the deadline, so that the wait for it says why.
const GRACE: Duration = Duration::from_secs(1);
const USER_AGENT: &str = concat!("smtp-enhanced-status-xtask/", env!("CARGO_PKG_VERSION"));

/// Asks, in a thread of its own: looking up a name cannot be cut short, but waiting for it can.
pub fn fetch(request: &Request) -> Result<Fetched> {
    let url = Url::parse(&request.url)
        .with_context(|| format!("{:?} is no address; write one that begins with https://", request.url))?;
    check_address(&url)?;
    let deadline = Instant::now() + request.timeout;
    let (sender, receiver) = mpsc::channel();
    let (validators, shown) = (request.validators.clone(), url.clone());
    thread::spawn(move || sender.send(with_retries(&url, &validators, deadline)));
    match receiver.recv_timeout(request.timeout) {
        Ok(answer) => answer.with_context(|| format!("cannot take the registry from {shown}")),
        Err(RecvTimeoutError::Timeout) => bail!(
            "{shown} gave no whole answer within {} s; try again, raise --timeout, or give a file with --from",
            request.timeout.as_secs_f32()
        ),
        Err(RecvTimeoutError::Disconnected) => bail!("the download ended without an answer; try again"),
    }
}

/// `https`, or `http` to a loopback address, for mirrors and tests on this machine.
fn check_address(url: &Url) -> Result<()> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => bail!("{url} is not encrypted; write https://, or --from FILE for a file that you trust"),
        scheme => bail!("{scheme}: is no way to a registry; write an https:// address"),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Tries again after a broken connection or a server's own fault, and after nothing else.
fn with_retries(url: &Url, validators: &Validators, deadline: Instant) -> Result<Fetched> {
    let client = client()?;
    let mut pause = Duration::from_millis(250);
    for attempt in 0.. {
        match once(&client, url, validators, deadline) {
            Err(Failure::Passing(error)) if attempt < RETRIES => {
                let rest = deadline.saturating_duration_since(Instant::now());
                ensure!(rest > pause, error.context("no time is left for another try; raise --timeout"));
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

/// Why an attempt failed: for good, or so that another may succeed.
enum Failure {
    Passing(Error),
    Final(Error),
}

fn client() -> Result<Client> {
    // An error says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = Policy::custom(|attempt| {
        let encrypted = attempt.previous().iter().any(|url| url.scheme() == "https");
        if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error(format!("more than {MAX_REDIRECTS} redirects"))
        } else if encrypted && attempt.url().scheme() != "https" {
            let error = format!("redirected from https down to {}", attempt.url());
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
        .context("cannot set up TLS; install the machine's root certificates (Debian: ca-certificates)")
}

fn once(client: &Client, url: &Url, validators: &Validators, deadline: Instant) -> Result<Fetched, Failure> {
    let rest = deadline.saturating_duration_since(Instant::now());
    let mut request = client.get(url.clone()).timeout(rest + GRACE);
    for (name, value) in [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)] {
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
            "the server answers 429 Too Many Requests; come back {}",
            match header(response.headers(), &RETRY_AFTER) {
                Some(after) if !after.is_empty() && after.bytes().all(|octet| octet.is_ascii_digit()) =>
                    format!("after {after} s"),
                Some(after) if !after.is_empty() => format!("after {}", after.escape_debug()),
                _ => "later".to_owned(),
            }
        ))),
        status if status.is_server_error() => Err(Failure::Passing(anyhow!("the server answers {status}"))),
        status => Err(Failure::Final(anyhow!("the server answers {status}; check the address"))),
    }
}

/// Reads the body up to the size that a registry may have.
fn body(mut response: Response) -> Result<Fetched, Failure> {
    if let Some(encoding) =
        header(response.headers(), &CONTENT_ENCODING).filter(|encoding| encoding != "identity")
    {
        return Err(Failure::Final(anyhow!(
            "the body comes encoded as {}, which was not asked for; look for a proxy in the way, or \
             give a file with --from",
            encoding.escape_debug()
        )));
    }
    let validators = Validators {
        etag: header(response.headers(), &ETAG),
        last_modified: header(response.headers(), &LAST_MODIFIED),
    };
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
                    Error::from(error).context(format!("the body broke off after {} octets", octets.len()));
                return Err(Failure::Passing(error));
            }
        }
        if octets.len() > MAX_OCTETS {
            return Err(Failure::Final(anyhow!(
                "the body is larger than {MAX_OCTETS} octets, more than a registry has; check the address"
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

/// Adds what a person can do, where another try does not help.
fn explained(error: reqwest::Error) -> Error {
    let advice = if is_about_certificates(&error) {
        "the server's certificate is not trusted; install the machine's root certificates (Debian: \
         ca-certificates) or name a file of them in SSL_CERT_FILE"
    } else if error.is_redirect() {
        "the address leads elsewhere, and not to a registry; check it"
    } else {
        return error.into();
    };
    Error::from(error).context(advice)
}
