// Serves SMTP, submission and LMTP with smtp-server. The replies about recipients, passwords and messages that are too
// large come from this program.

const fs = require('fs');
const { SMTPServer } = require('smtp-server');

const password = fs.readFileSync('/live/shared/alice.password', 'utf8').trim();

const refusal = (responseCode, text) => Object.assign(new Error(text), { responseCode });

function onAuth(auth, session, callback) {
    const right = auth.password === password || (auth.validatePassword && auth.validatePassword(password));
    if (auth.username === 'alice' && right) {
        return callback(null, { user: 'alice' });
    }
    callback(refusal(535, 'Invalid username or password'));
}

function onRcptTo(address, session, callback) {
    // RFC 5321 §4.1.1.3: postmaster needs no domain, and its letter case does not matter.
    const [local, domain] = address.address.toLowerCase().split('@');
    if (![undefined, 'example.test'].includes(domain)) {
        return callback(session.user ? null : refusal(550, 'Relaying denied'));
    }
    const exists = ['alice', 'postmaster'].includes(local);
    callback(exists ? null : refusal(550, 'No such user'));
}

function onData(stream, session, callback) {
    stream.on('end', () => callback(stream.sizeExceeded ? refusal(552, 'Message too large') : null));
    stream.resume();
}

const shared = {
    name: 'mx.example.test',
    size: 100000,
    key: fs.readFileSync('/srv/key.pem'),
    cert: fs.readFileSync('/srv/certificate.pem'),
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
    authOptional: true,
    allowInsecureAuth: true,
    hideENHANCEDSTATUSCODES: false,
    hideDSN: false,
    hideREQUIRETLS: false,
    disableReverseLookup: true,
    // All cases come from one address.
    maxClients: 40,
    socketTimeout: 9000,
    onAuth,
    onRcptTo,
    onData,
};

const listeners = [
    [25701, {}],
    [25702, { authOptional: false }],
    [25703, { lmtp: true }],
];
for (const [port, settings] of listeners) {
    const server = new SMTPServer({ ...shared, ...settings });
    server.on('error', (error) => console.error(error.message));
    server.listen(port, '127.0.0.1');
}
