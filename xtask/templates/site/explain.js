"use strict";

// Explains a reply as the Rust library's module `explain` does, with functions of the same names. A text is a string of
// octets: each character is one octet, U+0000 to U+00FF.

const TABLES = JSON.parse(document.getElementById("tables").textContent);

const CATEGORIES = new Map(TABLES.categories.map((category) => [category.id, category]));
const ROWS = new Map(TABLES.rows.map((row) => [row.code, row]));
const REPLY_CODES = new Map(TABLES["reply-codes"].map((entry) => [entry.code, entry]));
const STAGES = ["connect", "hello", "starttls", "auth", "mail", "rcpt", "data", "message"];

/** Explains a reply. `question` may have the stage and the host too. */
function explain({ reply, stage = null, host = null }) {
  const text = readText(reply);
  const matches = findMatches(text.octets);
  const answered = stageIn(matches) ?? stage;
  const quoted = quotation(text, matches);
  if (quoted === null) return newExplanation(text, matches, answered, host, null);
  const inner = readText(quoted.reply);
  const quotedHost = hostBefore(text.octets, quoted.start) ?? host;
  const outer = { ...text.codes, outcome: outcomeIn(matches) };
  return newExplanation(inner, findMatches(inner.octets), answered, quotedHost, outer);
}

function newExplanation(text, matches, stage, host, outer) {
  const { replyCode, enhanced: atStart } = text.codes;
  const codeClass = classOf(replyCode);
  const found = atStart === null ? findCode(text.octets, codeClass) : { code: atStart, place: "start" };
  const enhanced = found === null ? null : found.code;
  const facts = { replyCode, enhanced, class: codeClass, stage, text: text.octets, matches };
  const { verdict, vendor } = decide(facts, recognize(matches, host, enhanced));
  const isVendorSure = vendor !== null && vendor.isSure;
  const ownClass = codeClass ?? classOfEnhanced(enhanced) ?? outcomeIn(matches);
  // If the reply quotes another, the class of the outer one decides what to do.
  const decisive = classOfCodes(outer) ?? ownClass ?? 4;
  // The advice is about its own class.
  const advice = ownClass === decisive ? verdict.advice : null;
  const action = chooseAction({ ...verdict, advice }, isVendorSure, decisive);
  const ofRow = enhanced === null ? null : adviceOfRow(statusOf(enhanced), codeClass ?? enhanced.class);
  const { category, evidence, certainty, happened, reply } = verdict;
  return {
    replyCode,
    enhanced,
    place: found === null ? null : found.place,
    outer,
    stage,
    vendor: vendor === null ? null : vendor.vendor,
    isVendorSure,
    category,
    evidence,
    certainty,
    happened,
    sender: (advice ?? CATEGORIES.get(category)).sender,
    administrator: (advice ?? CATEGORIES.get(category)).administrator,
    retry: action === null ? null : action.retry,
    list: action === null ? "keep" : action.list,
    source: reply === null ? null : reply.source,
    seen: reply === null ? null : reply.seen,
    entry: enhanced === null ? null : ROWS.get(statusOf(enhanced)) ?? null,
    categoryOfRow: ofRow === null ? null : ofRow.category,
    isDisputed: ofRow !== null && ofRow.disputed,
    pairing: replyCode === null || enhanced === null ? null : judge(replyCode, enhanced),
    withoutDots: replyCode === null ? null : withoutDots(replyCode),
  };
}

/** Returns what to do after a reply of this class. */
function chooseAction(verdict, isVendorSure, codeClass) {
  if (verdict.evidence === "nothing") return null;
  const action = actionOf(verdict.category, codeClass);
  if (action === null) return null;
  const retry = verdict.advice?.retry ?? action.retry;
  const list = verdict.advice?.list ?? action.list;
  // Neither a guess nor the words of a vendor that somebody else may have written are evidence about the recipient.
  const isWeak = verdict.certainty === "guess" || (verdict.reply !== null && !isVendorSure);
  return { retry, list: isWeak && list === "remove" ? "pause" : list };
}

function classOfCodes(codes) {
  if (codes === null) return null;
  return (codes.replyCode === null ? classOfEnhanced(codes.enhanced) : classOf(codes.replyCode)) ?? codes.outcome;
}

function actionOf(category, codeClass) {
  if (codeClass === 2) return null;
  const { transient = null, permanent = null } = CATEGORIES.get(category);
  return codeClass === 4 ? transient : permanent;
}

// Codes

/** Returns the class of a reply code: 2, 4, 5 or null. */
function classOf(replyCode) {
  if (replyCode === null) return null;
  const digit = Math.floor(replyCode / 100);
  return digit === 3 ? null : digit;
}

function classOfEnhanced(code) {
  return code === null ? null : code.class;
}

/** Returns the code of the registry's row: X.1.1. */
function statusOf({ subject, detail }) {
  return `X.${subject}.${detail}`;
}

function codeText(code) {
  return `${code.class}.${code.subject}.${code.detail}`;
}

function newCode([, digit, subject, detail]) {
  return { class: Number(digit), subject: Number(subject), detail: Number(detail) };
}

const SUB_CODE = "(0|[1-9][0-9]{0,2})";
const WHOLE_CODE = new RegExp(`^([245])\\.${SUB_CODE}\\.${SUB_CODE}$`);
const CODE_PREFIX = new RegExp(`^([245])\\.${SUB_CODE}\\.${SUB_CODE}(?= |$)`);
const LENIENT = /^[ \t]*(\(?#?)([245])\.([ \t]*)0*([0-9]{1,3})(?![0-9])\.([ \t]*)0*([0-9]{1,3})(?![0-9])([:;,.)-]*)/;

/** Parses a code at the start of a text, and forgives what many servers do wrong. */
function parseLenient(octets) {
  const read = LENIENT.exec(octets);
  if (read === null) return null;
  const [all, opening, digit, blanks, subject, moreBlanks, detail, closing] = read;
  // `4. 5. 6 items` is a list, and `5.7.1. 4` has a fourth part.
  if (blanks !== "" && moreBlanks !== "") return null;
  const rest = octets.slice(all.length);
  if (closing.startsWith(".") && /^[ \t]*[0-9]/.test(rest)) return null;
  if (rest !== "" && !" \t\r\n".includes(rest[0])) return null;
  return { code: newCode([all, digit, subject, detail]), hasOpening: opening !== "", rest };
}

/** Reads the codes at the start of a reply, and returns them with the rest. */
function readCodes(reply) {
  let rest = trimStart(reply);
  // The type of a diagnostic code (RFC 3464 §2.3.6).
  if (/^smtp;/i.test(rest)) rest = trimStart(rest.slice(5));
  // Exchange writes `#550 5.1.1`.
  rest = rest.replace(/^#(?=[2-5][0-9][0-9])/, "");
  const codes = { replyCode: null, enhanced: null };
  const start = /^([2-5][0-9][0-9])(?:[ \t-]|(?=[\r\n:,;_"])|$)/.exec(rest);
  if (start !== null) {
    codes.replyCode = Number(start[1]);
    rest = trimStart(rest.slice(start[0].length));
  }
  // A code after a number sign or in brackets is found in the text.
  const read = parseLenient(rest);
  if (read !== null && !read.hasOpening) {
    codes.enhanced = read.code;
    rest = read.rest;
  }
  return { codes, rest };
}

function trimStart(octets) {
  return octets.replace(/^[ \t\n\f\r]+/, "");
}

function trimEnd(octets) {
  return octets.replace(/[ \t\n\f\r]+$/, "");
}

/** Removes the codes that another line of the same reply begins with. The lines may have been joined to one. */
function stripRepeated(octets, codes, isStart) {
  if (codes.replyCode === null) return isStart ? sameCode(octets, codes) : null;
  if (octets.slice(0, 3) !== String(codes.replyCode)) return null;
  const separator = octets.slice(3, 4);
  const after = octets.slice(4);
  const repeats =
    separator === "-" ||
    (separator === " " && (isStart || (codes.enhanced !== null && sameCode(after, codes) !== null))) ||
    (separator === "" && isStart);
  return repeats ? sameCode(after, codes) ?? after : null;
}

/** Removes the enhanced status code, if it is the same. */
function sameCode(octets, codes) {
  const read = CODE_PREFIX.exec(octets);
  if (read === null || codes.enhanced === null || codeText(newCode(read)) !== codeText(codes.enhanced)) return null;
  return octets.slice(read[0].length);
}

/** Finds an enhanced status code that is not at the start of a text. The text begins and ends with a space. */
function findCode(text, codeClass) {
  let last = null;
  for (let position = 1; position + 3 < text.length; position += 1) {
    if (text[position] !== "." || !isDigit(text[position - 1])) continue;
    const start = position - 1;
    const code = codeAt(text, start);
    if (code === null || code.class === 2 || (codeClass !== null && code.class !== codeClass)) continue;
    const end = start + codeText(code).length;
    const place = placeOf(text, start, end);
    if (place !== null && place !== "end") return { code, place };
    if (place !== null) last = { code, place };
    position = end;
  }
  return last;
}

/** Reads a code at this position, which neither letters, digits nor dots surround. */
function codeAt(text, start) {
  if (/[A-Za-z0-9._/-]/.test(text.charAt(start - 1))) return null;
  const [candidate] = /^[0-9.]*/.exec(text.slice(start, start + 9));
  if (/[A-Za-z0-9_/-]/.test(text.charAt(start + candidate.length))) return null;
  const read = WHOLE_CODE.exec(candidate.replace(/\.$/, ""));
  return read === null ? null : newCode(read);
}

function placeOf(text, start, end) {
  // The logs of Postfix and sendmail have `dsn=5.1.1`.
  if (text.slice(1, start).endsWith("dsn=") || "#([".includes(text[start - 1])) return "marked";
  const head = trimEnd(text.slice(1, start));
  if (head !== "" && !head.includes(" ")) return "after-tag";
  return /[A-Za-z0-9]/.test(text.slice(end)) ? null : "end";
}

function isDigit(octet) {
  return octet >= "0" && octet <= "9";
}

/** Returns what the registry says about a pair. */
function judge(replyCode, code) {
  if (Math.floor(replyCode / 100) !== code.class) return "class-mismatch";
  const row = ROWS.get(statusOf(code));
  if (row === undefined) return "unregistered";
  const { form, codes, classes } = row.associated;
  if (form === "not-given" || form === "no-data") return "no-list";
  return form === "any" || codes.includes(replyCode) || classes.includes(code.class) ? "listed" : "unlisted";
}

/** Returns the enhanced status code that a reply code looks like without its dots, if no RFC has the reply code. */
function withoutDots(replyCode) {
  const code = { class: classOf(replyCode), subject: Math.floor(replyCode / 10) % 10, detail: replyCode % 10 };
  return REPLY_CODES.has(replyCode) || code.class === null || !ROWS.has(statusOf(code)) ? null : code;
}

// The text

/** How many octets are read at the start and at the end of a long reply. */
const HEAD = 1024;
const TAIL = 512;

/** Reads a reply's codes, and its text in the form that patterns are compared with. */
function readText(reply) {
  const { codes, rest } = readCodes(reply);
  const parts = rest.length <= HEAD + TAIL ? [rest] : [rest.slice(0, HEAD), rest.slice(-TAIL)];
  let octets = " ";
  for (const part of parts) octets = withSpace(pushText(octets, part, codes));
  return { octets, codes };
}

/** Adds octets in lower case, with one space instead of several, and without the codes that lines begin with. */
function pushText(octets, part, codes) {
  let isStart = false;
  let rest = part;
  while (rest !== "") {
    const octet = rest[0];
    const isSpace = octet <= " " || octet === "\x7f";
    octets = isSpace ? withSpace(octets) : octets + lowerCase(octet);
    isStart = isSpace && (isStart || octet === "\n" || octet === "\r");
    rest = rest.slice(1);
    if (isSpace) rest = stripRepeated(rest, codes, isStart) ?? rest;
  }
  return octets;
}

function withSpace(octets) {
  return octets.endsWith(" ") ? octets : `${octets} `;
}

/** Returns ASCII letters in lower case, and leaves other octets alone. */
function lowerCase(octets) {
  return octets.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

// Patterns

/** The number of matches that are kept. */
const MOST = 48;
/** The length of a window: octets that every text has that a pattern matches, but for other digits. */
const WINDOW = 4;

/** All patterns, and their numbers by window. */
const PATTERNS = [];
const WINDOWS = new Map();
const NUMBERS = new Map();

/** Returns the number of a pattern. */
function numberOf(text, place = "anywhere") {
  const pattern = lowerCase(text);
  const key = `${place} ${pattern}`;
  if (NUMBERS.has(key)) return NUMBERS.get(key);
  const number = PATTERNS.length;
  const offset = bestWindow(pattern);
  PATTERNS.push({ text: pattern, place, offset });
  NUMBERS.set(key, number);
  const window = fold(pattern).slice(offset, offset + WINDOW);
  WINDOWS.set(window, [...(WINDOWS.get(window) ?? []), number]);
  return number;
}

/** Returns the octets, with 0 for any digit and for the sign of a digit. */
function fold(octets) {
  return octets.replace(/[0-9#]/g, "0");
}

/** Returns the offset of the window that occurs least often in other texts. */
function bestWindow(pattern) {
  let best = 0;
  let bestWeight = 0;
  for (let offset = 0; offset + WINDOW <= pattern.length; offset += 1) {
    if (isRepetition(pattern, offset - 1)) break;
    const weight = weightOfWindow(pattern, offset);
    if (weight > bestWeight) [best, bestWeight] = [offset, weight];
  }
  return best;
}

function weightOfWindow(pattern, offset) {
  let weight = 0;
  for (let index = offset; index < offset + WINDOW; index += 1) {
    if (pattern[index] === "@" || isRepetition(pattern, index)) return 0;
    const isInside = index > offset && index + 1 < offset + WINDOW;
    weight += pattern[index] === " " && isInside ? 4 : weightOf(pattern[index]);
  }
  return weight;
}

/** Returns how seldom an octet of a pattern is. */
function weightOf(octet) {
  if (" acdeilmnorstu".includes(octet)) return 1;
  return /[a-z0-9#.]/.test(octet) ? 2 : 4;
}

/** Returns whether the octet at this place is a plus that repeats a digit. */
function isRepetition(pattern, index) {
  return index > 0 && pattern[index] === "+" && pattern[index - 1] === "#";
}

/** Finds the patterns in a text, in the order in which their windows occur. */
function findMatches(text) {
  const folded = fold(text);
  const matches = [];
  for (let position = 0; position + WINDOW <= text.length; position += 1) {
    for (const pattern of WINDOWS.get(folded.slice(position, position + WINDOW)) ?? []) {
      const start = position - PATTERNS[pattern].offset;
      const end = start < 0 ? null : endOf(PATTERNS[pattern], text, start);
      if (end !== null) matches.push({ pattern, start, end });
      if (matches.length === MOST) return matches;
    }
  }
  return matches;
}

/** Returns where a pattern ends in a text if it begins at this position. */
function endOf({ text: pattern, place }, text, start) {
  let position = start;
  for (let index = 0; index < pattern.length; index += 1) {
    const octet = text.charAt(position);
    const expected = pattern[index];
    const isMatch = expected === "#" ? isDigit(octet) : expected === "@" ? octet >= "a" && octet <= "z" : octet === expected;
    if (!isMatch) return null;
    position += 1;
    if (isRepetition(pattern, index + 1)) {
      index += 1;
      while (isDigit(text.charAt(position))) position += 1;
    }
  }
  // The text has a space at both ends.
  const isInPlace = place === "start" ? start <= 1 : place === "end" ? position + 1 >= text.length : true;
  return isInPlace ? position : null;
}

function hasPattern(matches, pattern) {
  return matches.some((found) => found.pattern === pattern);
}

// Phrases, quotations and commands. The patterns are numbered in the same order as in the library.

const PHRASES = TABLES.phrases.phrase.flatMap(({ category, class: codeClass = null, stages, texts }) =>
  texts.map((text) => ({
    pattern: numberOf(text),
    category,
    class: codeClass,
    stages: stages.filter((stage) => stage !== "any"),
  })),
);
const QUOTATIONS = new Set(TABLES.phrases.quotations.map((text) => numberOf(text)));
const ENDS = new Set(TABLES.phrases.ends.map((text) => numberOf(text)));
const ASIDES = new Set(TABLES.phrases.asides.map((text) => numberOf(text)));
const OUTCOMES = new Map([
  ...TABLES.phrases.outcomes.transient.map((text) => [numberOf(text), 4]),
  ...TABLES.phrases.outcomes.permanent.map((text) => [numberOf(text), 5]),
]);
const COMMANDS = new Map(
  STAGES.flatMap((stage) => (TABLES.phrases.commands[stage] ?? []).map((text) => [numberOf(text), stage])),
);

/** Returns the first phrase that a text has. */
function firstPhrase(text, matches, codeClass, stage) {
  const found = new Set(matches.filter((match) => !isInAddress(text, match)).map((match) => match.pattern));
  const counts = (phrase) =>
    found.has(phrase.pattern) &&
    (phrase.class === null || codeClass === null || phrase.class === codeClass) &&
    (phrase.stages.length === 0 || stage === null || phrase.stages.includes(stage));
  return PHRASES.find(counts) ?? null;
}

/** Returns whether a pattern is within a word that has an at sign. */
function isInAddress(text, { start, end }) {
  const within = text.slice(start, end);
  if (within.includes(" ")) return false;
  const [head] = /[^ ]*$/.exec(text.slice(0, start));
  const [tail] = /^[^ ]*/.exec(text.slice(end));
  return `${head}${within}${tail}`.includes("@");
}

/** Finds the last reply that a text quotes, unless it is about something else than the delivery. */
function quotation(text, matches) {
  let last = null;
  for (const words of matches.filter((found) => QUOTATIONS.has(found.pattern))) {
    const start = codeAfter(text.octets, words.end);
    if (start !== null) last = { words, start };
  }
  if (last === null) return null;
  if (matches.some((found) => ASIDES.has(found.pattern) && found.start < last.words.start)) return null;
  const isEnd = (found) => COMMANDS.has(found.pattern) || ENDS.has(found.pattern);
  const end = matches.find((found) => isEnd(found) && found.start > last.start);
  const reply = text.octets.slice(last.start, end?.start);
  return { start: last.words.start, reply: reply.replace(/\($/, "") };
}

/** How far from the words that announce a reply its code may be: the words may name a command with an address. */
const DISTANCE = 320;

/** Returns where the first code begins after a position: at once, or after a colon. */
function codeAfter(text, position) {
  const end = Math.min(text.length, position + DISTANCE);
  for (let start = position; start < end; start += 1) {
    if (!"245".includes(text[start]) || /[A-Za-z0-9]/.test(text[start - 1])) continue;
    const before = trimEnd(text.slice(0, start)).replace(/["']$/, "");
    if (before.length > position && !before.endsWith(":")) continue;
    const { replyCode, enhanced } = readCodes(text.slice(start)).codes;
    if (replyCode !== null || enhanced !== null) return start;
  }
  return null;
}

/** Returns the name of the host that a log or a report names before it quotes a reply. */
function hostBefore(text, position) {
  const before = text.slice(0, position);
  const word = before.lastIndexOf(" host ");
  if (word < 0) return null;
  const [name] = /^[A-Za-z0-9._-]*/.exec(before.slice(word + 6));
  return name === "" ? null : name;
}

/** Returns the class of the failure that a line of a log reports, by the first of its words. */
function outcomeIn(matches) {
  const found = matches.find(({ pattern }) => OUTCOMES.has(pattern));
  return found === undefined ? null : OUTCOMES.get(found.pattern);
}

/** Returns the stage of the command that a text names last. */
function stageIn(matches) {
  const commands = matches.filter((found) => COMMANDS.has(found.pattern));
  return commands.length === 0 ? null : COMMANDS.get(commands[commands.length - 1].pattern);
}

// Vendors

/** The marks by pattern, each with the number of its vendor. */
const MARKS = new Map();
TABLES.vendors.forEach((vendor, number) => {
  for (const { text, place, sure } of vendor.marks) {
    const pattern = numberOf(text, place);
    MARKS.set(pattern, [...(MARKS.get(pattern) ?? []), { number, isSure: sure }]);
  }
});

const VENDORS = TABLES.vendors.map(({ id, name, hosts, reply: replies }) => ({
  id,
  name,
  hosts: hosts.map(hostPattern),
  replies: replies.map(vendorReply),
}));

/** Returns a pattern of host names, in which a star is any number of octets. */
function hostPattern(host) {
  const parts = host.split("*").map((part) => part.replace(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`, "i");
}

function vendorReply({ "reply-code": replyCode = null, status = null, text = null, category, meaning, source, seen }) {
  return {
    replyCode,
    status: status === null ? null : statusRange(status),
    pattern: text === null ? null : numberOf(text),
    category,
    meaning,
    source,
    seen,
  };
}

/** Reads a code or a range of details: 4.7.500-699. */
function statusRange(text) {
  const [codeClass, subject, first, last = first] = text.split(/[.-]/).map(Number);
  return { class: codeClass, subject, first, last };
}

/** Recognizes the vendor by the host, or else by the marks in the text, or else by a code that is not registered. */
function recognize(matches, host, code) {
  const marked = byMarks(matches);
  if (host === null) return marked ?? byCode(code);
  const name = host.replace(/\.$/, "");
  // A server without hosts of its own is a program or a list that anybody may use.
  const isShown = marked !== null && marked.isSure && marked.vendor.hosts.length > 0;
  const vendor = VENDORS.find(({ hosts }) => hosts.some((like) => like.test(name)));
  if (vendor === undefined) return marked === null ? byCode(code) : { ...marked, isContradicted: isShown };
  return { vendor, isSure: true, isContradicted: isShown && marked.vendor !== vendor, marks: 0 };
}

/**
 * Recognizes the vendor by an enhanced status code that the registry does not have. All vendors that use it have to mean
 * the same; the last of them is the most general one.
 */
function byCode(code) {
  if (code === null || ROWS.has(statusOf(code))) return null;
  const isAbout = ({ pattern, status }) => pattern === null && status !== null && isInRange(status, code);
  const categories = VENDORS.map(({ replies }) => replies.find(isAbout)?.category);
  const known = new Set(categories.filter((category) => category !== undefined));
  if (known.size !== 1) return null;
  const last = categories.findLastIndex((category) => category !== undefined);
  return { vendor: VENDORS[last], isSure: false, isContradicted: false, marks: 0 };
}

/** Recognizes the vendor by the marks in the text. */
function byMarks(matches) {
  const marks = matches.flatMap((found) => MARKS.get(found.pattern) ?? []);
  let best = null;
  for (const { number, isSure } of marks) {
    const candidate = { number, isSure, marks: marks.filter((other) => other.number === number).length };
    if (best === null || isBetter(candidate, best)) best = candidate;
  }
  if (best === null) return null;
  return { vendor: VENDORS[best.number], isSure: best.isSure, isContradicted: false, marks: best.marks };
}

/** A sure mark counts more than any number of others. Among equals, the vendor that comes first wins. */
function isBetter(one, other) {
  if (one.isSure !== other.isSure) return one.isSure;
  return one.marks === other.marks ? one.number < other.number : one.marks > other.marks;
}

/** Returns the reply of a vendor that fits best: a text counts more than a code. */
function bestReply(vendor, facts) {
  let best = null;
  let most = 0;
  for (const reply of vendor.replies) {
    const weight = weightOfReply(reply, facts);
    if (weight > most) [best, most] = [reply, weight];
  }
  return best;
}

/** Returns how much an entry says about a reply; 0 if it is not about it. */
function weightOfReply(reply, { replyCode, enhanced, matches }) {
  if (reply.replyCode !== null && reply.replyCode !== replyCode) return 0;
  if (reply.status !== null && !isInRange(reply.status, enhanced)) return 0;
  if (reply.pattern !== null && !hasPattern(matches, reply.pattern)) return 0;
  return (reply.replyCode === null ? 0 : 1) + (reply.status === null ? 0 : 2) + (reply.pattern === null ? 0 : 4);
}

function isInRange(range, code) {
  return (
    code !== null &&
    code.class === range.class &&
    code.subject === range.subject &&
    code.detail >= range.first &&
    code.detail <= range.last
  );
}

// Advice

const ADVICE = new Map(TABLES.advice.map((advice) => [subjectOf(advice), advice]));

/** Returns what an entry of advice is about, as a key. */
function subjectOf({ "reply-code": replyCode, status, class: codeClass, stage }) {
  if (stage !== undefined) return `${replyCode ?? `class ${codeClass}`} ${stage}`;
  return replyCode === undefined ? `${status} ${codeClass}` : `${replyCode} ${status}`;
}

/** Returns the advice for a row with a class. */
function adviceOfRow(status, codeClass) {
  return ADVICE.get(`${status} ${codeClass}`) ?? null;
}

/** Returns the advice for a pair that means something else than its row. */
function adviceOfPair(replyCode, code) {
  if (classOf(replyCode) !== code.class) return null;
  return ADVICE.get(`${replyCode} ${statusOf(code)}`) ?? null;
}

/** Returns the advice for a reply code or a class at a stage, or else at any stage. */
function adviceAt(subject, stage) {
  const ofStage = ADVICE.get(`${subject} ${stage}`);
  return { advice: ofStage ?? ADVICE.get(`${subject} any`) ?? null, isOfStage: ofStage !== undefined };
}

// The verdict

/** Goes through the evidence, from the best to the least. Returns the vendor too, if it can be told. */
/** The evidence after that of the vendor, from the best to the least. */
const STEPS = [
  byPair,
  (facts) => byRow(facts, false),
  byText,
  byStage,
  byReplyCodeOfUndefined,
  (facts) => byRow(facts, true),
  bySubject,
  byMissingDots,
  byReplyCode,
  byClass,
];

const NOTHING_KNOWN = {
  category: "unknown",
  evidence: "nothing",
  certainty: "guess",
  happened: "The text has no code, and its words are not known.",
  advice: null,
  reply: null,
};

function decide(facts, recognized) {
  if (isPositive(facts)) return { verdict: ofCategory("accepted", "first-digit", "sure"), vendor: recognized };
  const { verdict, vendor } = byVendor(facts, recognized);
  const isPossible = (decided) =>
    decided !== null && !(isBeforeRecipients(facts) && isAboutRecipient(decided.category));
  if (isPossible(verdict)) return { verdict, vendor };
  for (const step of STEPS) {
    const decided = step(facts);
    if (isPossible(decided)) return { verdict: decided, vendor };
  }
  return { verdict: NOTHING_KNOWN, vendor };
}

/** Returns whether the server knows no recipient yet, so that the reply can only be about the sender. */
function isBeforeRecipients({ stage }) {
  return ["connect", "hello", "starttls", "auth", "mail"].includes(stage);
}

function isAboutRecipient(category) {
  return ["recipient-address", "recipient-mailbox"].includes(CATEGORIES.get(category).matter);
}

function isAboutSender(category) {
  return CATEGORIES.get(category).matter.startsWith("sender-");
}

function isPositive({ replyCode, enhanced }) {
  return replyCode === null ? enhanced !== null && enhanced.class === 2 : replyCode < 400;
}

/** Decides by what the vendor is known to mean. A vendor with one unsure mark counts only for a text or a code of its own. */
function byVendor(facts, recognized) {
  if (recognized === null) return { verdict: null, vendor: null };
  const reply = bestReply(recognized.vendor, facts);
  const hasText = reply !== null && reply.pattern !== null;
  const isRegistered = facts.enhanced !== null && ROWS.has(statusOf(facts.enhanced));
  const hasCode = reply !== null && reply.status !== null && !isRegistered;
  const isKnown = recognized.isSure || recognized.marks >= 2 || hasText || hasCode;
  if (!isKnown) return { verdict: null, vendor: null };
  // A vendor known by its host may quote another one, and one known by a mark may be imitated.
  const isDoubtful = recognized.isContradicted && (recognized.marks > 0 || !hasText);
  const isSure = recognized.isSure && !isDoubtful;
  const vendor = { ...recognized, isSure };
  if (reply === null) return { verdict: null, vendor };
  // Codes are no evidence about the recipient if the words are about the sender.
  const words = byText(facts);
  const hasOtherWords = words !== null && isAboutSender(words.category);
  if (!hasText && isAboutRecipient(reply.category) && hasOtherWords) return { verdict: null, vendor };
  const isPair = reply.replyCode !== null && reply.status !== null;
  const evidence = hasText ? "vendor-text" : isPair ? "vendor-pair" : "vendor-code";
  const verdict = ofCategory(reply.category, evidence, isSure ? "sure" : "likely");
  return { verdict: { ...verdict, happened: reply.meaning, reply }, vendor };
}

/** Decides by a pair that is commonly used otherwise than its row. */
function byPair(facts) {
  const { replyCode, enhanced } = facts;
  if (replyCode === null || enhanced === null) return null;
  const advice = adviceOfPair(replyCode, enhanced);
  if (advice === null || saysLittle(advice.category)) return null;
  const words = byText(facts);
  if (words !== null && words.category !== advice.category) return null;
  return ofAdvice(advice, "pair", advice.disputed ? "likely" : "sure");
}

/** Decides by the registry's row. If the row says little, or vendors use it otherwise, better evidence follows. */
function byRow(facts, evenIfLittle) {
  const { replyCode, enhanced } = facts;
  if (enhanced === null) return null;
  const ofPair = replyCode === null ? null : adviceOfPair(replyCode, enhanced);
  const advice = ofPair ?? adviceOfRow(statusOf(enhanced), facts.class ?? enhanced.class);
  if (advice === null) return null;
  const words = byText(facts);
  const yields = advice.disputed || ofPair !== null;
  const isOther = words !== null && words.category !== advice.category;
  const isContradicted = isOther && (yields || (isAboutRecipient(advice.category) && isAboutSender(words.category)));
  if (!evenIfLittle && (saysLittle(advice.category) || isContradicted)) return null;
  const isAllowed = ROWS.get(statusOf(enhanced))?.classes.includes(enhanced.class) ?? true;
  const isOpen = saysLittle(advice.category) || !isAllowed || (advice.disputed && words === null);
  const agrees = facts.class === null || facts.class === enhanced.class;
  return ofAdvice(advice, "enhanced-code", !agrees ? "guess" : isOpen ? "likely" : "sure");
}

/** Decides by words in the text. */
function byText(facts) {
  const phrase = firstPhrase(facts.text, facts.matches, facts.class ?? classOfEnhanced(facts.enhanced), facts.stage);
  // The row is more precise than a mere word for a policy.
  if (phrase === null || (saysLittle(phrase.category) && facts.enhanced !== null)) return null;
  return ofCategory(phrase.category, "text", "likely");
}

/** Decides by the command that was answered, if there is no enhanced status code or one that leaves it open. */
function byStage(facts) {
  const { replyCode, enhanced, stage } = facts;
  const isOpen = enhanced === null || ["X.0.0", "X.1.0", "X.7.0"].includes(statusOf(enhanced));
  if (!isOpen && !isBeforeRecipients(facts)) return null;
  if (replyCode === null) return null;
  let found = adviceAt(replyCode, stage);
  if (found.advice === null) found = adviceAt(`class ${facts.class}`, stage);
  return found.isOfStage ? ofAdvice(found.advice, "stage", "likely") : null;
}

/** Decides by the reply code if the enhanced status code is X.0.0, which only repeats the class (RFC 3463 §3.1). */
function byReplyCodeOfUndefined(facts) {
  const { enhanced } = facts;
  if (enhanced === null || statusOf(enhanced) !== "X.0.0" || facts.class !== enhanced.class) return null;
  const decided = byReplyCode(facts);
  return decided === null || saysLittle(decided.category) ? null : decided;
}

/** Decides by the subject of a code that is not registered. */
function bySubject(facts) {
  if (facts.enhanced === null) return null;
  const advice = adviceOfRow(`X.${facts.enhanced.subject}.0`, facts.class ?? facts.enhanced.class);
  return advice === null ? null : ofAdvice(advice, "subject", "guess");
}

/** Decides by an enhanced status code that lost its dots. */
function byMissingDots({ replyCode }) {
  const code = replyCode === null ? null : withoutDots(replyCode);
  if (code === null) return null;
  const advice = adviceAt(replyCode, "any").advice ?? adviceOfRow(statusOf(code), code.class);
  return advice === null ? null : ofAdvice(advice, "without-dots", "guess");
}

/** Decides by the reply code, which may mean something else at another stage. */
function byReplyCode({ replyCode, stage }) {
  const { advice } = adviceAt(replyCode, "any");
  return advice === null ? null : ofAdvice(advice, "reply-code", stage === null ? "guess" : "likely");
}

function byClass(facts) {
  const { advice } = adviceAt(`class ${facts.class}`, "any");
  return advice === null ? null : ofAdvice(advice, "first-digit", "guess");
}

/** Returns whether a category leaves open what is wrong, so that words in the text say more. */
function saysLittle(category) {
  return category === "unknown" || category === "policy";
}

function ofCategory(category, evidence, certainty) {
  return { category, evidence, certainty, happened: CATEGORIES.get(category).meaning, advice: null, reply: null };
}

function ofAdvice(advice, evidence, certainty) {
  return { category: advice.category, evidence, certainty, happened: advice.happened, advice, reply: null };
}
