//! Sends a message with mail-send:
//! `send-with-mail-send HOST PORT SENDER MESSAGE CA USER PASSWORD RECIPIENT...` (CA and USER are `-` where they are not
//! to be used).

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use mail_send::smtp::message::Message;
use mail_send::{Credentials, SmtpClientBuilder};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_rustls::TlsConnector;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Err(error) = send().await else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    use mail_send::Error::{AuthenticationFailed, UnexpectedReply};
    match error.downcast_ref() {
        Some(UnexpectedReply(reply) | AuthenticationFailed(reply)) if reply.code / 100 == 4 => ExitCode::from(75),
        Some(UnexpectedReply(reply) | AuthenticationFailed(reply)) if reply.code / 100 == 5 => ExitCode::from(69),
        _ => ExitCode::FAILURE,
    }
}

async fn send() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, sender, message, ca, user, password, recipients @ ..] = arguments.as_slice() else {
        return Err("arguments are missing".into());
    };
    let mut roots = RootCertStore::empty();
    if ca != "-" {
        roots.add(CertificateDer::from_pem_file(ca)?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let mut builder = SmtpClientBuilder::new_with_tls_connector(host.as_str(), port.parse()?, connector)
        .implicit_tls(false)
        .timeout(Duration::from_secs(8));
    if user != "-" {
        builder = builder.credentials(Credentials::new(user.as_str(), password.as_str()));
    }
    let message = Message::new(sender.as_str(), recipients.iter().map(String::as_str), fs::read(message)?);
    if ca == "-" {
        let mut client = builder.connect_plain().await?;
        client.send(message).await?;
        let _ = client.quit().await;
    } else {
        let mut client = builder.connect().await?;
        client.send(message).await?;
        let _ = client.quit().await;
    }
    Ok(())
}
