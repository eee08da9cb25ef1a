//! Sends a message with lettre:
//! `send-with-lettre HOST PORT SENDER MESSAGE CA USER PASSWORD RECIPIENT...` (CA and USER are `-` where they are not to
//! be used).

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};

fn main() -> ExitCode {
    let Err(error) = send() else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    match error.downcast_ref::<lettre::transport::smtp::Error>() {
        Some(error) if error.is_transient() => ExitCode::from(75),
        Some(error) if error.is_permanent() => ExitCode::from(69),
        _ => ExitCode::FAILURE,
    }
}

fn send() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, sender, message, ca, user, password, recipients @ ..] = arguments.as_slice() else {
        return Err("arguments are missing".into());
    };
    let mut builder = SmtpTransport::builder_dangerous(host)
        .port(port.parse()?)
        .timeout(Some(Duration::from_secs(8)));
    if ca != "-" {
        let certificate = Certificate::from_pem(&fs::read(ca)?)?;
        let parameters = TlsParameters::builder(host.clone()).add_root_certificate(certificate).build()?;
        builder = builder.tls(Tls::Required(parameters));
    }
    if user != "-" {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    let recipients = recipients.iter().map(|recipient| recipient.parse()).collect::<Result<_, _>>()?;
    let envelope = Envelope::new(Some(sender.parse()?), recipients)?;
    builder.build().send_raw(&envelope, &fs::read(message)?)?;
    Ok(())
}
