// Prints what the page's script says of replies: `node ask.js PAGE REPLIES`. Both are files, and the replies are JSON.
"use strict";

const fs = require("fs");
const vm = require("vm");

const page = fs.readFileSync(process.argv[2], "utf8");
const replies = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));

function script(opening) {
  const start = page.indexOf(opening) + opening.length;
  return page.slice(start, page.indexOf("</script>", start));
}

const tables = script('<script type="application/json" id="tables">');
const document = { getElementById: () => ({ textContent: tables }) };
const context = vm.createContext({ document, TextEncoder });
vm.runInContext(script('<script id="explain">'), context);

/** Returns the answer to a reply, and the entries of the vendor that the reply has the codes and the text of. */
function ask({ reply, host }) {
  const { replyCode, enhanced, category, certainty, list } = explain({ reply, host });
  const matches = findMatches(readText(reply).octets);
  const vendor = recognize(matches, host, enhanced)?.vendor;
  const number = vendor === undefined ? null : VENDORS.indexOf(vendor);
  const facts = { replyCode, enhanced, matches };
  const entries = [...(vendor?.replies ?? []).entries()].filter(([, entry]) => weightOfReply(entry, facts) > 0);
  const marks = matches.filter(({ pattern }) => (MARKS.get(pattern) ?? []).some((mark) => mark.number === number));
  return {
    category,
    certainty,
    list,
    vendor: number,
    entries: entries.map(([position]) => position),
    marks: marks.map(({ pattern }) => PATTERNS[pattern].text),
  };
}

const inContext = vm.runInContext(`(${ask})`, context);
console.log(JSON.stringify(replies.map(inContext)));
