/** Generated corosync.confs: well-formed ones with odd names and values, and hostile ones made of fragments, broken lines and rubbish. */
import fc from "fast-check";
import { goodConf } from "./good.ts";

const KEYS =
  "version token token_coefficient consensus join hold config_version cluster_name transport secauth crypto_cipher ip_version link_mode linknumber " +
  "mcastport knet_link_priority name nodeid quorum_votes ring0_addr ring1_addr ring7_addr provider expected_votes two_node model votes debug to_syslog " +
  "subsys foo a-b a%b ab uid member";
const SECTIONS =
  "totem interface node nodelist quorum device net logging logger_subsys logging_daemon uidgid member foo totem.interface nodelist.node";
const VALUES =
  "0 1 2 3000 65536 -1 x on off yes no 10.0.0.1 fd00::1 host.name # 1#2 a:b } aes256 ipv4 4294967296 99999999999999999999999999 ü 🙂";

const key = fc.oneof(fc.constantFrom(...KEYS.split(" ")), fc.stringMatching(/^[a-zA-Z0-9._/: \t-]{0,12}$/));
const section = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...SECTIONS.split(" ")) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z.:]{1,8}$/) },
);
const value = fc.oneof(
  fc.constantFrom(...VALUES.split(" ")),
  fc.constant(""),
  fc.string({ maxLength: 20 }).map((s) => s.replace(/[\n{]/g, "")),
);
const blank = fc.constantFrom("", " ", "\t", "    ");

/** `key: value` and sections, properly nested; blanks anywhere they may stand. */
const body = fc.letrec<{ entries: string[]; entry: string[] }>((tie) => ({
  entries: fc.array(tie("entry"), { maxLength: 6, depthIdentifier: "conf" }).map((parts) => parts.flat()),
  entry: fc.oneof(
    { depthSize: "small", withCrossShrink: true, depthIdentifier: "conf" },
    fc.tuple(blank, key, blank, value).map(([a, k, b, v]) => [`${a}${k}${b}:${b}${v}`]),
    fc.tuple(blank, section, tie("entries")).map(([a, name, inner]) => [`${a}${name} {`, ...inner, `${a}}`]),
  ),
}));

/** A file that mostly parses. */
export const anyConf = body.entries.map((lines) => `${lines.join("\n")}\n`);

const rubbish = fc.oneof(
  fc.constantFrom(
    "{",
    "}",
    ":",
    "::",
    "{}",
    "} }",
    "a {",
    "a { }",
    "a{b",
    "}x",
    "x}",
    "#",
    "# {",
    "\0",
    "a\0b",
    "\u0001\u0002",
    "\r",
    "\t",
    "\u00a0",
    "\ufeff",
    "\ud800",
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.nat(700).map((n) => `foo: ${"x".repeat(n)}`),
  fc.nat(300).map((n) => `${"k".repeat(n)}: 1`),
  fc.nat(200).map((n) => "a {\n".repeat(n)),
  fc.nat(200).map((n) => "}\n".repeat(n)),
  fc.tuple(section, key, value).map(([s, k, v]) => `${s} {\n${k}: ${v}`),
  fc.tuple(key, value).map(([k, v]) => `${k}: ${v}`),
);

/** A good file with lines taken out, doubled, moved and replaced by rubbish. */
const broken = fc
  .tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), rubbish, fc.nat()), { minLength: 1, maxLength: 8 }),
  )
  .map(([nodes, links, edits]) => {
    const lines = goodConf(nodes, links).split("\n");
    for (const [at, kind, text, to] of edits) {
      const i = at % lines.length;
      if (kind === 0) lines.splice(i, 1);
      else if (kind === 1) lines.splice(i, 0, text);
      else if (kind === 2) lines.splice(to % lines.length, 0, ...lines.splice(i, 3));
      else lines[i] = (lines[i] ?? "").replace(/:.*/, () => `: ${text}`);
      if (lines.length === 0) lines.push("");
    }
    return lines.join("\n");
  });

/** A file somebody made to break a parser. */
export const hostileConf = fc.oneof(
  { weight: 4, arbitrary: broken },
  { weight: 2, arbitrary: fc.array(rubbish, { maxLength: 30 }).map((lines) => lines.join("\n")) },
  { weight: 1, arbitrary: anyConf },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 400 }) },
);

const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(...KEYS.split(" ")), fc.constantFrom(...VALUES.split(" "))).map(([k, v]) => `  ${k}: ${v}`),
  },
  { weight: 1, arbitrary: fc.constantFrom(...SECTIONS.split(" ")).map((s) => `${s} {\n}`) },
  { weight: 1, arbitrary: fc.constantFrom("}", "foo {", "garbage", "a { }", "} x", "# comment", "{") },
);

/** A cluster's file with a slip or two of the pen: what a person might do to it. Left out: names of users and files, which only a host can judge. */
export const brokenConf = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 2 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), line), { minLength: 1, maxLength: 3 }),
  )
  .map(([nodes, links, edits]) => {
    const lines = goodConf(nodes, links)
      .split("\n")
      .filter((l) => !l.includes("logfile"));
    for (const [at, kind, text] of edits) {
      const i = at % lines.length;
      if (kind === 0) lines.splice(i, 1);
      else if (kind === 1) lines.splice(i, 0, text);
      else if (kind === 2) lines.splice(i, 0, lines[at % 7] ?? "");
      else lines[i] = (lines[i] ?? "").replace(/:.*/, () => /:.*/.exec(text)?.[0] ?? ":");
    }
    return lines.join("\n");
  })
  .filter((text) => !/uid|state_dir|logfile/.test(text));
