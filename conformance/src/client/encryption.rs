//! TLS for a client that observes rather than demands, because servers under test often have self-signed certificates.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The TLS settings of a client, and the first problem that it saw with a certificate.
#[derive(Clone)]
pub struct Encryption {
    certificates: Certificates,
    /// Set up at the first handshake. Many connections use no TLS, and loading the root certificates takes time.
    connector: Arc<OnceLock<TlsConnector>>,
    problem: Arc<OnceLock<String>>,
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
        Ok(Encryption { certificates, connector: Arc::default(), problem: Arc::default() })
    }

    fn connector(&self) -> Result<&TlsConnector, rustls::Error> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let (certificates, problem) = (self.certificates, self.problem.clone());
        let provider = Arc::new(ring::default_provider());
        let roots = roots();
        let judge = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok();
        let observer = Observer { judge, provider: provider.clone(), certificates, problem };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(observer))
            .with_no_client_auth();
        Ok(self.connector.get_or_init(|| TlsConnector::from(Arc::new(config))))
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
        self.connector().map_err(io::Error::other)?.connect(name, stream).await.map_err(explained)
    }
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
        let Some(judge) = &self.judge else { return Ok(ServerCertVerified::assertion()) };
        let judged = judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Err(error) = &judged {
            self.problem.get_or_init(|| error.to_string());
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
