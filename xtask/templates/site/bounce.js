"use strict";

// Finds what to explain in whatever people paste: a reply, a code with a typing error, a row, or a whole bounce.

/** How many characters are read. */
const LONGEST_INPUT = 100000;

/**
 * Returns the questions in a text, one for each recipient of a bounce: a reply in octets; the host, the recipient and the
 * status field of a report, if they are known; and how the text was read, if that is not obvious.
 */
function questionsIn(text) {
  const trimmed = withoutReturned(text.slice(0, LONGEST_INPUT)).trim();
  const repaired = repair(trimmed);
  if (repaired !== null) return repaired.map(({ reply, note }) => question(reply, { note }));
  const reports = reportsIn(trimmed);
  if (reports.length > 0) return reports.map(ofReport);
  const paragraphs = recipientsIn(trimmed);
  if (paragraphs.length > 0) return paragraphs.map(({ recipient, reply }) => question(reply, { recipient }));
  const reply = replyIn(trimmed);
  return [question(reply, { note: reply === trimmed ? null : `Read as ${reply}` })];
}

function question(reply, { host = null, recipient = null, status = null, note = null }) {
  return { reply: octetsOf(reply), host: host === null ? null : octetsOf(host), recipient, status, note };
}

/** Returns the octets of a text in UTF-8, each as one character. */
function octetsOf(text) {
  return Array.from(new TextEncoder().encode(text), (octet) => String.fromCharCode(octet)).join("");
}

// Codes with typing errors

/** Returns the replies that a code with a typing error, or a registry row, stands for; null for any other text. */
function repair(text) {
  if (text.length > 40 || text.includes("\n")) return null;
  const row = /^x[.,]?([0-9]{1,6})[.,]([0-9]{1,6})[.:]?$/i.exec(text);
  if (row !== null) return repairedRow(row);
  const words = text.split(/[ -]+/);
  // The library reads three digits without dots itself.
  if (/^[0-9]{3}$/.test(text)) return null;
  const code = repairedCode(words[words.length - 1]);
  if (code === null) return null;
  if (words.length === 1) return readAs(code);
  const isReplyCode = words.length === 2 && /^[245][0-9][0-9]$/.test(words[0]) && words[0][0] === code[0];
  return isReplyCode ? readAs(`${words[0]} ${code}`) : null;
}

function readAs(reply) {
  return [{ reply, note: `Read as ${reply}` }];
}

/** A row has no class. It is explained for both classes of refusals. */
function repairedRow([text, subject, detail]) {
  const row = `X.${Number(subject)}.${Number(detail)}`;
  if (!ROWS.has(row)) return null;
  const name = text === row ? row : `Read as ${row}`;
  return [
    { reply: row.replace("X", "5"), note: `${name}, as a permanent refusal` },
    { reply: row.replace("X", "4"), note: `${name}, as a temporary refusal` },
  ];
}

/** Returns the code that a word means, if it is not one already. */
function repairedCode(word) {
  const digits = word.replace(/[lI|]/g, "1").replace(/[oO]/g, "0").replace(/,/g, ".").replace(/[.:]+$/, "");
  if (word.includes("l") || word.includes(",") || /[I|oO]/.test(word)) {
    return /^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(digits) ? digits : null;
  }
  // A dot is missing: 5.71 or 57.1, or both: 511, 5726. A reply code that an RFC has is a reply code.
  const parts = /^([245])\.([0-9])([0-9]{1,2})$/.exec(digits) ?? /^([245])([0-9])\.([0-9]{1,3})$/.exec(digits) ??
    /^([245])([0-9])([0-9]{1,2})$/.exec(digits);
  if (parts === null || REPLY_CODES.has(Number(digits))) return null;
  const [, digit, subject, detail] = parts;
  return ROWS.has(`X.${subject}.${Number(detail)}`) ? `${digit}.${subject}.${Number(detail)}` : null;
}

// A single reply

/** Returns the reply in a text: the text itself, or the part of it that begins with a code. */
function replyIn(text) {
  if (hasCode(text)) return text;
  const lines = text.split(/\r?\n/);
  const first = lines.findIndex((line) => /^[ \t>]*[245][0-9][0-9][ \t-]|^[ \t>]*[245]\.[0-9]/.test(line) && hasCode(unquoted(line)));
  if (first >= 0) return paragraphFrom(lines.slice(first)).map(unquoted).join("\n");
  const named = /\b(?:error|code|status|reply|response|smtp|returned)\W{0,3}([2-5][0-9][0-9])\b[ :.,-]*/i.exec(text);
  return named === null ? text : `${named[1]} ${text.slice(named.index + named[0].length)}`.trim();
}

function hasCode(text) {
  const { replyCode, enhanced, outer } = explain({ reply: octetsOf(text) });
  return replyCode !== null || enhanced !== null || outer !== null;
}

function unquoted(line) {
  return line.replace(/^[ \t>]+/, "");
}

/** Returns the lines before the first empty one. */
function paragraphFrom(lines) {
  const end = lines.findIndex((line) => unquoted(line) === "");
  return end < 0 ? lines : lines.slice(0, end);
}

/** Removes the message that a report returns, whose sender may have written anything into it. */
function withoutReturned(text) {
  const kept = [];
  let boundary = null;
  let isReturned = false;
  // Only in a mailbox does no line of a message begin like the line between two messages.
  const isMailbox = text.startsWith("From ");
  for (const line of text.split("\n")) {
    if (isReturned) {
      const isNextPart = boundary !== null && line.startsWith(boundary);
      isReturned = !isNextPart && !(isMailbox && line.startsWith("From "));
    } else if (/copy of (?:the|your) message/i.test(line)) [boundary, isReturned] = [null, true];
    else if (/^--./.test(line)) boundary = line.trimEnd();
    else isReturned = /^content-type:[ \t]*(?:message\/rfc822|text\/rfc822-headers|message\/global(?:-headers)?)[ \t\r]*(?:;|$)/i.test(line);
    if (!isReturned) kept.push(line);
  }
  return kept.join("\n");
}

// Delivery status notifications (RFC 3464)

const FIELD = /^[ \t>]*(final-recipient|original-recipient|action|status|remote-mta|diagnostic-code)[ \t]*:[ \t]*(.*)$/i;

/** Returns the fields of each recipient that a report has. A field that is there already begins another recipient. */
function reportsIn(text) {
  const reports = [];
  let report = new Map();
  for (const line of [...unfolded(text), ""]) {
    const field = FIELD.exec(line);
    const name = field === null ? null : field[1].toLowerCase();
    if (unquoted(line) === "" || report.has(name)) {
      if (isReport(report)) reports.push(report);
      report = new Map();
    }
    if (field !== null) report.set(name, field[2].trim());
  }
  return reports;
}

/** Returns the lines, with those that continue a field joined to it (RFC 5322 §2.2.3). */
function unfolded(text) {
  const lines = [];
  for (const line of text.split(/\r?\n/)) {
    const last = lines.length - 1;
    const isContinued = /^[> ]*[ \t]/.test(line) && unquoted(line) !== "" && !FIELD.test(line) && last >= 0 && FIELD.test(lines[last]);
    if (isContinued) lines[last] += ` ${unquoted(line)}`;
    else lines.push(line);
  }
  return lines;
}

/** A message that is quoted may have a field Status too. */
function isReport(report) {
  const isStatus = /^[245]\.[0-9]+\.[0-9]+/.test(report.get("status") ?? "");
  return report.has("diagnostic-code") || (isStatus && (report.has("final-recipient") || report.has("action")));
}

function ofReport(report) {
  const status = report.get("status") ?? null;
  const diagnostic = report.get("diagnostic-code");
  const recipient = valueOf(report.get("final-recipient") ?? report.get("original-recipient"));
  const host = valueOf(report.get("remote-mta"));
  const name = host === null ? null : host.split(/[ (]/)[0];
  // A server that makes a report makes codes up. They are no evidence about the recipient.
  if (diagnostic === undefined) return { ...question(status, { host: name, recipient }), isFromStatus: true };
  const reply = valueOf(diagnostic);
  const hasStatus = status !== null && /^[245]\.[0-9]+\.[0-9]+/.test(status);
  return question(hasStatus && !hasCode(reply) ? `${status} ${reply}` : reply, { host: name, recipient, status });
}

/** Returns the value after its type: `rfc822; a@example.org`. */
function valueOf(field) {
  return field === undefined ? null : field.replace(/^[A-Za-z0-9-]+[ \t]*;[ \t]*/, "");
}

// Reports in plain words

/** Returns the paragraphs that begin with the address of a recipient: `<a@example.org>: host mx said: 550 ...`. */
function recipientsIn(text) {
  const recipients = [];
  for (const paragraph of text.split(/\n[ \t>]*\r?\n/)) {
    const start = /^[ \t>]*(?:<([^<>\s]{1,64}@[^<>\s]{1,255})>[^\n:]*:|([^<>\s:]{1,64}@[^<>\s:]{1,255})[ \t]*\r?\n)\s*/.exec(paragraph);
    if (start === null) continue;
    const reply = paragraph.slice(start[0].length);
    if (hasCode(reply)) recipients.push({ recipient: start[1] ?? start[2], reply });
  }
  return recipients;
}
