//! A browser that tests drive. Packages that have `fantoccini` include this file next to `support`.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::fs;
use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use futures_util::FutureExt as _;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support;

/// How a browser shows pages.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Whether scripts of pages run.
    pub scripts: bool,
    /// The width of a phone's screen; 1280 pixels on a desk if `None`.
    pub phone: Option<u32>,
}

impl Default for Window {
    fn default() -> Window {
        Window { scripts: true, phone: None }
    }
}

/// Opens a page in a browser, and runs a test on it. Returns what the browser wrote to its console; `None` if there is no
/// browser.
pub fn drive<F: Future<Output = ()>>(
    page: &Path,
    window: Window,
    test: impl FnOnce(Client) -> F,
) -> Option<Vec<String>> {
    let driver = Driver::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = driver.open(window).await;
        client.goto(&format!("file://{}", page.display())).await.expect("the page");
        // The browser is closed even if the test panics.
        let test = AssertUnwindSafe(test(client.clone())).catch_unwind();
        let tested = tokio::time::timeout(Duration::from_secs(120), test).await;
        client.close().await.expect("the browser closes");
        tested.expect("the test is over in time").unwrap_or_else(|panic| resume_unwind(panic));
    });
    Some(driver.console())
}

/// A `chromedriver` process. It ends with its browser when it is dropped.
pub struct Driver {
    process: Child,
    url: String,
    profile: TempDir,
}

impl Driver {
    /// Starts it. Returns `None` if the programs are missing.
    pub fn start() -> Option<Driver> {
        if !support::has(["chromium", "chromedriver"]) {
            return None;
        }
        // It needs the same port for IPv4 and IPv6, and ends if another program has one of them.
        let driver = (0..5).find_map(|_| Driver::try_start());
        Some(driver.expect("chromedriver finds a free port"))
    }

    /// Starts it on a free port. Returns `None` if it ends before it says which.
    fn try_start() -> Option<Driver> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("chromedriver can be run");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut lines = output.lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let port = line.split_once("started successfully on port ")?.1;
            Some(port.trim_end_matches('.').to_owned())
        });
        let Some(port) = port else {
            process.wait().expect("chromedriver ends");
            return None;
        };
        let url = format!("http://127.0.0.1:{port}");
        Some(Driver { process, url, profile: tempfile::tempdir().expect("a folder") })
    }

    /// Opens a browser.
    pub async fn open(&self, window: Window) -> Client {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let log = format!("--log-file={}", self.profile.path().join(LOG).display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging",
            "--window-size=1280,900",
            &profile,
            &log,
        ];
        let javascript = if window.scripts { 1 } else { 2 };
        let mut options = json!({
            "args": arguments,
            "prefs": { "profile.managed_default_content_settings.javascript": javascript },
        });
        if let Some(width) = window.phone {
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": 800, "pixelRatio": 1 } });
        }
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities).connect(&self.url).await.expect("a session")
    }

    /// Returns what pages wrote to the console, and what the browser reported there.
    pub fn console(&self) -> Vec<String> {
        let log = fs::read_to_string(self.profile.path().join(LOG)).expect("the browser writes a log");
        log.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect()
    }
}

const LOG: &str = "log";

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the value of an expression on the page.
pub async fn ask(client: &Client, expression: &str) -> Value {
    let answer = client.execute(&format!("return {expression}"), Vec::new()).await;
    answer.unwrap_or_else(|error| panic!("{expression}: {error}"))
}

pub async fn click(client: &Client, selector: &str) {
    let element =
        client.find(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    element.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
}

pub async fn is_displayed(client: &Client, selector: &str) -> bool {
    let element =
        client.find(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    element.is_displayed().await.expect("an answer")
}
