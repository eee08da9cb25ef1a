// Prints what the page's script answers: `node answers.js PAGE QUESTIONS`. Both are JSON; a reply is a string of octets.
"use strict";

const fs = require("fs");
const vm = require("vm");

const page = fs.readFileSync(process.argv[2], "utf8");
const questions = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));

function script(opening) {
  const start = page.indexOf(opening) + opening.length;
  return page.slice(start, page.indexOf("</script>", start));
}

const tables = script('<script type="application/json" id="tables">');
const document = { getElementById: () => ({ textContent: tables }) };
const context = vm.createContext({ document, TextEncoder, TextDecoder, questions });
vm.runInContext(script('<script id="explain">'), context);

const text = (code) => (code === null ? null : `${code.class}.${code.subject}.${code.detail}`);

function record(answer) {
  const { enhanced, outer, vendor, withoutDots, entry, ...others } = answer;
  return {
    ...others,
    enhanced: text(enhanced),
    outer: outer === null ? null : [outer.replyCode, text(outer.enhanced)],
    vendor: vendor === null ? null : vendor.id,
    withoutDots: text(withoutDots),
    entry: entry === null ? null : entry.identifier,
  };
}

const read = ({ text: pasted }) => vm.runInContext("questionsIn", context)(pasted);
const answer = vm.runInContext("explain", context);
const answers = questions.map((asked) =>
  asked.text === undefined ? record(answer(asked)) : read(asked).slice(0, 50).map((one) => ({ ...one, ...record(answer(one)) })),
);
console.log(JSON.stringify(answers));
