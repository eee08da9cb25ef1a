"use strict";

// Shows answers, and searches the tables. What people paste only ever becomes text: textContent, never HTML.

const FORM = document.getElementById("ask");
const INPUT = document.getElementById("reply");
const ANSWERS = document.getElementById("answers");
const STATUS = document.getElementById("status");
const SEARCH = document.getElementById("words");
const FOUND = document.getElementById("found");

/** How many recipients are answered. */
const MOST_ANSWERS = 50;
/** The longest text that goes into the address of the page. */
const LONGEST_ADDRESS = 2000;

const MATTERS = {
  "recipient-address": "The recipient’s address.",
  "recipient-mailbox": "The recipient’s mailbox.",
  "sender-content": "The content of the message.",
  "sender-reputation": "The sender’s reputation.",
  "sender-authentication": "The sender’s SPF, DKIM, DMARC or ARC.",
  "sender-configuration": "The sender’s set-up: names, DNS, logins, TLS.",
  "receiver-policy": "The receiver’s rules.",
  "receiver-system": "The receiver’s servers.",
  network: "The network between the two.",
  protocol: "The commands of either side.",
  nobody: "Nothing: nothing failed.",
  unknown: "That is not known.",
};

const RETRIES = {
  never: "No, not to this recipient.",
  later: "Yes, later. Nothing else is needed.",
  "later-and-fix": "The mail server tries again by itself, but that helps only after something is changed.",
  "after-fix": "Only after something is changed.",
};

const LIST_ACTIONS = {
  remove: "Remove the address.",
  pause: "Count the failure, and remove the address after repeats.",
  keep: "Keep the address.",
};

const EVIDENCE = {
  "vendor-text": "Words of the reply. It is known what this vendor means by them.",
  "vendor-pair": "The two codes together. It is known what this vendor means by them.",
  "vendor-code": "The code. It is known what this vendor means by it.",
  pair: "The two codes together, which many servers use otherwise than the registry’s row.",
  "enhanced-code": "The registry’s row for the enhanced status code.",
  text: "Words of the reply.",
  stage: "The reply code, and the command that it answers.",
  subject: "The subject of the enhanced status code. The whole code is not registered.",
  "without-dots": "The reply code. No RFC has it, but with dots it is an enhanced status code.",
  "reply-code": "The reply code alone.",
  "first-digit": "The first digit alone.",
  nothing: "Nothing: there is no code, and the words are not known.",
};

const CERTAINTIES = {
  sure: "This is sure.",
  likely: "This is likely, but some servers mean something else.",
  guess: "This is a guess, because there is little to go by.",
};

const PAIRINGS = {
  "class-mismatch": "The first digits of the two codes differ, which RFC 2034 §4 forbids.",
  unregistered: "The registry has no row for this enhanced status code.",
  listed: "The registry lists the reply code for this row.",
  unlisted: "The registry does not list the reply code for this row. The list is not exclusive, so this is not an error.",
  "no-list": "The registry lists no reply codes for this row.",
};

const NOTHING = "This text has no code, and its words are not known.";
const NO_CODE = "Paste the reply as the server sent it, with its three digits, or the whole bounce.";

const PLACES = {
  marked: "after a number sign or in brackets",
  "after-tag": "after another word",
  end: "at the end of the text",
};

const STAGE_NAMES = {
  connect: "None: it is the answer to the connection.",
  hello: "EHLO or HELO",
  starttls: "STARTTLS",
  auth: "AUTH",
  mail: "MAIL",
  rcpt: "RCPT",
  data: "DATA",
  message: "The end of the message",
};

/** Returns an element with attributes, and children that are elements or text. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function code(text) {
  return element("code", {}, String(text));
}

// Answers

/** Shows the answers to a text. */
function answer(text) {
  ANSWERS.replaceChildren();
  STATUS.textContent = "";
  if (text.trim() === "") return;
  const questions = questionsIn(text);
  const shown = questions.slice(0, MOST_ANSWERS);
  const answers = shown.map((asked) => ({ asked, given: explained(asked) }));
  answers.forEach(({ asked, given }, index) => ANSWERS.append(article(asked, given, index)));
  STATUS.textContent = summary(answers, questions.length);
  STATUS.classList.toggle("spoken", questions.length === 1);
}

function explained(asked) {
  const given = explain(asked);
  return asked.isFromStatus && given.list === "remove" ? { ...given, list: "pause" } : given;
}

/** Returns what a screen reader says when the answers are there. A single answer is seen without it. */
function summary(answers, total) {
  if (total === 1) return `Answer: ${answers[0].given.evidence === "nothing" ? NOTHING : answers[0].given.happened}`;
  return total > answers.length ? `${total} answers, of which the first ${answers.length} are shown.` : `${total} answers.`;
}

function article(asked, given, index) {
  const id = `answer-${index}`;
  if (given.evidence === "nothing") {
    return element("article", { "aria-labelledby": id }, element("h2", { id }, NOTHING), element("p", {}, NO_CODE));
  }
  return element(
    "article",
    { "aria-labelledby": id },
    element("p", { class: "title" }, title(asked, given)),
    element("h2", { id }, given.happened),
    asked.note === null ? null : element("p", { class: "note" }, asked.note),
    element("dl", {}, ...actions(given), ...meaning(given), ...codes(asked, given)),
  );
}

/** Returns what the answer is about: the recipient and the codes. */
function title({ recipient }, { replyCode, enhanced }) {
  const found = [replyCode, enhanced === null ? null : codeText(enhanced)].filter((part) => part !== null).join(" ");
  return [recipient, found].filter((part) => part !== null && part !== "").join(": ");
}

/** Returns a term with its description, which may be several paragraphs; nothing if there is none. */
function entry(term, ...paragraphs) {
  const present = paragraphs.filter((paragraph) => paragraph !== null);
  if (present.length === 0) return [];
  const wrapped = present.map((paragraph) => element("p", {}, ...[paragraph].flat()));
  return [element("div", {}, element("dt", {}, term), element("dd", {}, ...wrapped))];
}

function actions(given) {
  const { wait } = CATEGORIES.get(given.category);
  if (given.retry === null) return entry("What the sender does", given.sender);
  const helps = wait !== undefined && given.retry.startsWith("later");
  return [
    ...entry("What the sender does", given.sender),
    ...entry("What the receiver’s administrator does", given.administrator),
    ...entry("Try again", RETRIES[given.retry], helps ? `Usual wait: ${wait}.` : null),
    ...entry("Mailing list", LIST_ACTIONS[given.list]),
  ];
}

function meaning(given) {
  const { meaning: text, matter } = CATEGORIES.get(given.category);
  const isRepeated = text === given.happened;
  const source = given.source === null ? null : `Source: ${given.source}, ${given.seen}.`;
  return [
    ...entry("Category", [code(given.category), isRepeated ? "" : `: ${text}`]),
    ...entry("What it is about", MATTERS[matter]),
    ...entry("Looks like", vendorText(given)),
    ...entry("Command", given.stage === null ? null : STAGE_NAMES[given.stage]),
    ...entry("What decided", `${EVIDENCE[given.evidence]} ${CERTAINTIES[given.certainty]}`, source),
  ];
}

function vendorText({ vendor, isVendorSure }) {
  if (vendor === null) return null;
  return isVendorSure ? vendor.name : `It looks like ${vendor.name}, but others write such replies too.`;
}

function codes(asked, given) {
  return [
    ...entry("Reply code", ...replyCodeText(given)),
    ...entry("Enhanced status code", ...enhancedText(given)),
    ...entry("Pairing", given.pairing === null ? null : PAIRINGS[given.pairing]),
    ...entry("Quoted in", outerText(given.outer)),
    ...entry("Status field", ...statusText(asked.status, given)),
    ...entry("Reply", asked.recipient === null ? null : [code(decoded(asked.reply))]),
  ];
}

function replyCodeText({ replyCode, withoutDots: dotted }) {
  if (replyCode === null) return [];
  const row = REPLY_CODES.get(replyCode);
  if (row !== undefined) return [[link(`#r-${replyCode}`, String(replyCode)), ` ${row.meaning}.`]];
  const looks = dotted === null ? null : `It looks like ${codeText(dotted)} without its dots.`;
  return [[code(replyCode), " No RFC defines this reply code."], looks];
}

function enhancedText({ enhanced, entry: row, place, category, categoryOfRow }) {
  if (enhanced === null) return [];
  const text = codeText(enhanced);
  const misplaced = place === "start" ? null : `It is ${PLACES[place]}. Programs look for it only at the start of the text, where RFC 2034 §4 asks for it.`;
  if (row === null) return [[code(text), " This code is not in the registry."], misplaced];
  const other = categoryOfRow === null || categoryOfRow === category ? null : ["By itself, the row has the category ", code(categoryOfRow), "."];
  const anchor = `#${row.code.toLowerCase().replace(/\./g, "-")}`;
  const successor = row.successor === undefined ? null : [`The registry deprecates this row. Use ${row.successor} instead.`];
  return [[link(anchor, text), ` ${row.name}`], referenceText(row), successor, other, misplaced];
}

function referenceText(row) {
  const references = row.references.flatMap(({ name, remark, link: address }, index) => [
    index === 0 ? "" : ", ",
    address === undefined ? name : link(address, name),
    remark === "" ? "" : ` ${remark}`,
  ]);
  return references.length === 0 ? null : [`Row ${row.code}, ${row.identifier}: `, ...references];
}

function outerText(outer) {
  if (outer === null) return null;
  const words = [outer.replyCode, outer.enhanced === null ? null : codeText(outer.enhanced)].filter((word) => word !== null);
  if (words.length === 0) return "A text without codes quotes this reply.";
  return `A reply with ${words.join(" ")} quotes this one. Whether to try again is up to the server that sent it.`;
}

/** Returns the status field of a report, if the reply has another code. */
function statusText(status, { enhanced }) {
  if (status === null || (enhanced !== null && status.startsWith(codeText(enhanced)))) return [];
  const digits = /^([245])\.([0-9]+)\.([0-9]+)/.exec(status);
  const row = digits === null ? undefined : ROWS.get(statusOf(newCode(digits)));
  return [[code(status), row === undefined ? "" : ` ${row.name}`], "The server that made the report chose this code."];
}

function link(address, text) {
  return element("a", { href: address, rel: "noreferrer" }, text);
}

/** Returns the text that octets are in UTF-8. */
function decoded(octets) {
  return new TextDecoder().decode(Uint8Array.from(octets, (octet) => octet.charCodeAt(0)));
}

// The form and the address of the page

/** Answers a text, and puts it into the address of the page unless it is long. */
function ask(text) {
  if (text.length > LONGEST_ADDRESS) {
    location.hash = "";
    answer(text);
    return;
  }
  // An address cannot have half a character, which a text may have.
  const address = `#q=${encodeURIComponent(decoded(octetsOf(text)))}`;
  if (address === location.hash) answer(text);
  else location.hash = address;
}

/** Answers the question in the address of the page, or opens the row that it names. */
function follow() {
  const { hash } = location;
  if (hash.startsWith("#q=")) {
    INPUT.value = decodedAddress(hash.slice(3));
    answer(INPUT.value);
    return;
  }
  const row = hash === "" ? null : document.getElementById(hash.slice(1));
  const details = row === null ? null : row.querySelector("details");
  if (details === null) return;
  reveal();
  details.open = true;
  row.scrollIntoView();
}

/** Whoever writes an address by hand may not encode it. */
function decodedAddress(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "));
  } catch {
    return text;
  }
}

FORM.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(INPUT.value);
});
FORM.addEventListener("reset", () => {
  answer("");
  INPUT.focus();
  location.hash = "";
});
INPUT.addEventListener("paste", () => setTimeout(() => ask(INPUT.value)));
INPUT.addEventListener("keydown", (event) => {
  const isSent = event.key === "Enter" && !event.shiftKey && !event.isComposing;
  if (!isSent || (INPUT.value.includes("\n") && !event.ctrlKey && !event.metaKey)) return;
  event.preventDefault();
  ask(INPUT.value);
});
addEventListener("hashchange", follow);

// The tables

const LINES = [...document.querySelectorAll("#tables-of-codes tbody tr[id]")].map((line) => ({
  line,
  text: line.textContent.toLowerCase().replace(/\s+/g, " "),
  codes: codesOf(line),
}));

/** Returns the codes of a row: itself, with its classes too, and the reply codes that it lists. */
function codesOf(line) {
  const [kind, ...numbers] = line.id.split("-");
  if (kind === "r") return numbers;
  const listed = line.querySelector(".listed").textContent.match(/[0-9]{3}/g) ?? [];
  return [...["x", "2", "4", "5"].map((first) => [first, ...numbers].join(".")), ...listed];
}

/** Shows the rows that have every word. */
function search() {
  const words = SEARCH.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  let shown = 0;
  for (const row of LINES) {
    row.line.hidden = !words.every((word) => hasWord(row, word));
    shown += row.line.hidden ? 0 : 1;
  }
  for (const body of document.querySelectorAll("#tables-of-codes tbody")) {
    body.hidden = body.querySelector("tr[id]:not([hidden])") === null;
  }
  FOUND.textContent = words.length === 0 ? "" : `${shown} of ${LINES.length} rows`;
}

/** A code has to be the row's, at least as far as it goes: 5.1.1 is not 5.1.10, but 5.1 is any 5.1.z. */
function hasWord({ text, codes: own }, word) {
  if (!/^[0-9x][0-9x.]*$/.test(word)) return text.includes(word);
  const isPart = word.endsWith(".") || /^[0-9x]{1,2}$/.test(word);
  return own.some((other) => other === word || other.startsWith(isPart ? word : `${word}.`));
}

function reveal() {
  SEARCH.value = "";
  search();
}

SEARCH.addEventListener("input", search);

for (const hidden of document.querySelectorAll(".scripted")) hidden.hidden = false;
follow();
