//! TLS for a client that observes rather than demands, because servers under test often have self-signed certificates.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The TLS settings of a client, the first session that it set up, and the first problem that it saw with a
/// certificate.
#[derive(Clone)]
pub struct Encryption {
    certificates: Certificates,
    /// Set up at the first handshake. Many connections use no TLS, and loading the root certificates takes time.
    connector: Arc<OnceLock<TlsConnector>>,
    session: Arc<OnceLock<Session>>,
    problem: Arc<OnceLock<String>>,
}

/// What a handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The version of TLS, such as `TLS 1.3`.
    pub version: String,
    /// The cipher suite, by its name at IANA.
    pub cipher: String,
}

/// What to do about an invalid certificate: one that is untrusted, expired, or issued for another name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificates {
    /// Continue, and report the problem.
    #[default]
    Observed,
    /// Fail the TLS handshake.
    Demanded,
}

impl Encryption {
    /// Creates settings that verify certificates against the root certificates of this machine.
    ///
    /// # Errors
    ///
    /// Returns an error if valid certificates are demanded and this machine has no root certificates.
    pub fn new(certificates: Certificates) -> Result<Encryption, rustls::Error> {
        if certificates == Certificates::Demanded && roots().is_empty() {
            let reason =
                "this machine has no root certificates; set SSL_CERT_FILE to a file of root certificates";
            return Err(rustls::Error::General(reason.to_owned()));
        }
        Ok(Encryption {
            certificates,
            connector: Arc::default(),
            session: Arc::default(),
            problem: Arc::default(),
        })
    }

    fn connector(&self) -> Result<&TlsConnector, rustls::Error> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let config = self.config()?;
        Ok(self.connector.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }

    /// Returns the settings in the form of rustls, for a client that does not use tokio.
    pub(crate) fn config(&self) -> Result<ClientConfig, rustls::Error> {
        let (certificates, problem) = (self.certificates, self.problem.clone());
        let provider = Arc::new(ring::default_provider());
        let roots = roots();
        let judge = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok();
        let observer = Observer { judge, provider: provider.clone(), certificates, problem };
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(observer))
            .with_no_client_auth())
    }

    /// Returns what the first handshake that succeeded agreed on.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.session.get().cloned()
    }

    /// Returns what is wrong with the first invalid certificate that was seen.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problem.get().cloned()
    }

    pub(super) async fn begin<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = self.connector().map_err(io::Error::other)?;
        let stream = connector.connect(name, stream).await.map_err(explained)?;
        if let Some(session) = session(stream.get_ref().1) {
            self.session.get_or_init(|| session);
        }
        Ok(stream)
    }
}

/// Returns what a handshake agreed on, with the names that IANA gives: `TLS 1.3`, `TLS_AES_256_GCM_SHA384`.
fn session(connection: &ClientConnection) -> Option<Session> {
    let version = connection.protocol_version()?.as_str()?;
    let cipher = connection.negotiated_cipher_suite()?.suite().as_str()?;
    Some(Session {
        version: version.replace("TLSv", "TLS ").replace('_', "."),
        cipher: cipher.replacen("TLS13_", "TLS_", 1),
    })
}

/// Replaces the error about an invalid TLS record by one that says what it means.
fn explained(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            let kind = error.kind();
            io::Error::new(
                kind,
                "the server did not answer with TLS; if it begins in clear, use smtp:// or submission://",
            )
        }
        _ => error,
    }
}

/// Returns the root certificates of this machine, which are loaded once.
fn roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    ROOTS.get_or_init(read).clone()
}

/// Accepts any certificate unless valid ones are demanded, but always checks that the handshake is signed with its key.
#[derive(Debug)]
struct Observer {
    /// `None` if this machine has no root certificates.
    judge: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    certificates: Certificates,
    problem: Arc<OnceLock<String>>,
}

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(judge) = &self.judge else {
            self.problem.get_or_init(|| "this machine has no root certificates".to_owned());
            return Ok(ServerCertVerified::assertion());
        };
        let judged = judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Err(error) = &judged {
            self.problem.get_or_init(|| problem(error));
        }
        match self.certificates {
            Certificates::Demanded => judged,
            Certificates::Observed => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Returns what is wrong with a certificate. rustls prints a reason that it has no variant for as Rust code.
fn problem(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => {
            format!("invalid peer certificate: {reason}")
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{CertificateError, Error, OtherError};

    use super::problem;

    #[test]
    fn problems_are_not_printed_as_code() {
        let other = OtherError(Arc::new(std::io::Error::other("it is that of a CA")));
        let error = Error::InvalidCertificate(CertificateError::Other(other));
        assert_eq!(problem(&error), "invalid peer certificate: it is that of a CA");
        let error = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        assert_eq!(problem(&error), "invalid peer certificate: UnknownIssuer");
    }
}
