// Sends a message with nodemailer:
// send.js HOST PORT SENDER MESSAGE RECIPIENT... [--tls CA] [--user USER --password PASSWORD] [--lmtp]
const { readFileSync } = require('node:fs');
const { parseArgs } = require('node:util');
const nodemailer = require('nodemailer');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tls: { type: 'string' }, user: { type: 'string' }, password: { type: 'string' }, lmtp: { type: 'boolean' } },
});
const [host, port, from, file, ...to] = positionals;
const transport = nodemailer.createTransport({
  host,
  port: Number(port),
  lmtp: values.lmtp,
  requireTLS: values.tls !== undefined,
  tls: values.tls === undefined ? undefined : { ca: readFileSync(values.tls) },
  auth: values.user === undefined ? undefined : { user: values.user, pass: values.password },
  connectionTimeout: 8000,
  greetingTimeout: 8000,
  socketTimeout: 8000,
});

async function main() {
  try {
    const sent = await transport.sendMail({ envelope: { from, to }, raw: readFileSync(file) });
    console.log(sent.response, 'rejected:', sent.rejected);
    process.exitCode = sent.rejected.length === 0 ? 0 : sent.accepted.length > 0 ? 70 : status(sent.rejectedErrors);
  } catch (error) {
    console.error(error.code, error.message);
    // Recipients that are refused have an error each.
    process.exitCode = status(error.rejectedErrors ?? [error]);
  }
}

// What the reply codes say: temporary if a recipient is only deferred.
function status(errors) {
  const classes = errors.map((error) => Math.floor(error.responseCode / 100));
  return classes.includes(4) ? 75 : classes.every((one) => one === 5) ? 69 : 1;
}

main();
