/** Requests made from the API's own schemas and the engine's own checks: every kind there is, with text and numbers of every kind, those that no message should have among them. */
import fc from "fast-check";
import type { z } from "zod";
import type { Check, Form } from "../../src/engine/kernel/check.ts";
import { request } from "../../src/main/lab/api.ts";

/** Text that some encoding does not give back, or that somebody reads in another way. */
const STRANGE = [
  "\ud800",
  "/tmp/\udc00",
  "a\ud83d",
  "\0",
  "\u001b[2J",
  "\n",
  "\u2028",
  "__proto__",
  "constructor",
  "base64",
  "piece",
  "pairs",
  "\ufffd",
  "-0",
  "😀",
];
/** Text that means something in a lab, and what does under a key of that name. */
const KNOWN = [
  "pve1",
  "pve2",
  "net0",
  "corosync",
  "/",
  "/root",
  "/root/x",
  "/tmp/a/b",
  "../x",
  "1",
  "2",
  "3",
  "4",
  "ls",
  "systemctl",
  "status",
  "",
];
const ids = ["1", "2", "3", "4", "5", "6"];
const paths = [
  "/",
  "/root",
  "/root/x",
  "/root/y",
  "/tmp",
  "/tmp/a",
  "/tmp/a/b",
  "x",
  "..",
  "/etc/hosts",
  "/etc/corosync/corosync.conf",
  "/proc/self/fd",
];
const KNOWN_BY_KEY: Readonly<Record<string, readonly string[]>> = {
  ...{ node: ["pve1", "pve2"], machine: ["pve1", "pve2"], net: ["net0"], unit: ["corosync"], op: ["start", "restart"] },
  ...{ session: ids, id: ids, process: ids, parent: ids, path: paths, from: paths, to: paths, target: paths, cwd: ["/root", "/", "/tmp"] },
};
const NUMBERS = [
  1.5,
  -1,
  -0,
  0.1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  0o644,
  0o177777,
  0o200000,
  7,
];
const OTHERS = [null, true, [], {}, "x", 3, { base64: "QQ==" }, { piece: "00" }, { pairs: [] }];

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KNOWN) },
  { weight: 1, arbitrary: fc.constantFrom(...STRANGE) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);
const number = fc.oneof(
  { weight: 6, arbitrary: fc.nat(5) },
  { weight: 1, arbitrary: fc.constantFrom(...NUMBERS) },
  { weight: 1, arbitrary: fc.double() },
);
const base64 = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 3000 }).map((data) => Buffer.from(data).toString("base64")) },
  { weight: 1, arbitrary: fc.constantFrom("x", "====", "AA=A", "\ud800") },
);

/** Once in a while something else altogether. */
const sometimes = (usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...OTHERS) });

/** What usually stands under a key of that name, and once in a while what else its schema lets stand there. */
function underKey(key: string, any: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const known = Object.hasOwn(KNOWN_BY_KEY, key) ? KNOWN_BY_KEY[key] : undefined;
  return known === undefined ? any : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
}

/** Values that mostly pass a check. Throws for one that tells nothing of its form. */
export function fromCheck(check: Check): fc.Arbitrary<unknown> {
  const { form } = check;
  if (form === undefined) throw new Error("a check without a form");
  return sometimes(fromForm(form));
}

function fromForm(form: Form): fc.Arbitrary<unknown> {
  switch (form.is) {
    case "value":
      return ofKind(form.kind);
    case "one":
      return fc.constantFrom(...form.of);
    case "either":
      return fc.oneof(...form.of.map(fromCheck));
    case "list":
      return fc.array(fromCheck(form.item), { maxLength: 4 });
    case "tuple":
      return fc.tuple(...form.items.map(fromCheck));
    case "map":
      return fc.dictionary(text, fromCheck(form.value), { maxKeys: 3 });
    case "shape":
      return fromShape(form);
    case "variants":
      return fc.oneof(
        ...Object.entries(form.shapes).map(([word, shape]) => {
          if (shape.form?.is !== "shape") throw new Error(`the variant ${word} is no shape`);
          return fromShape(shape.form).map((made) => ({ ...made, [form.key]: word }));
        }),
      );
  }
}

function fromShape({ must, maybe }: Extract<Form, { is: "shape" }>): fc.Arbitrary<object> {
  const made = Object.entries({ ...must, ...maybe }).map(([key, check]): [string, fc.Arbitrary<unknown>] => [
    key,
    underKey(key, fromCheck(check)),
  ]);
  return fc.record(Object.fromEntries(made), { requiredKeys: Object.keys(must), noNullPrototype: true });
}

function ofKind(kind: Extract<Form, { is: "value" }>["kind"]): fc.Arbitrary<unknown> {
  switch (kind) {
    case "text":
      return text;
    case "flag":
      return fc.boolean();
    case "number":
    case "integer":
      return number;
    case "bytes":
      return fc.uint8Array({ maxLength: 100 });
    case "base64":
      return base64;
    case "nothing":
      return fc.constant(undefined);
    case "null":
      return fc.constant(null);
    case "opaque":
      return fc.constant({});
  }
}

/** What a schema of zod says of itself; only the kinds that requests are made of. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly values?: readonly (string | number)[];
  readonly entries?: Readonly<Record<string, string>>;
}

export function fromSchema(schema: z.ZodType): fc.Arbitrary<unknown> {
  const { check } = (schema.meta() ?? {}) as { check?: Check };
  if (check !== undefined) return fromCheck(check);
  const { type, shape, options, element, innerType, valueType, values, entries } = schema.def as unknown as Definition;
  switch (type) {
    case "literal":
      return fc.constantFrom(...(values ?? []));
    case "enum":
      return sometimes(fc.constantFrom(...Object.values(entries ?? {})));
    case "string":
      return sometimes(text);
    case "number":
      return sometimes(number);
    case "boolean":
      return sometimes(fc.boolean());
    case "optional":
      return fc.oneof(fc.constant(undefined), fromSchema(innerType as z.ZodType));
    case "nullable":
      return fc.oneof(fc.constant(null), fromSchema(innerType as z.ZodType));
    case "array":
      return fc.array(fromSchema(element as z.ZodType), { maxLength: 4 });
    case "record":
      return fc.dictionary(text, fromSchema(valueType as z.ZodType), { maxKeys: 3 });
    case "union":
      return fc.oneof(...(options ?? []).map(fromSchema));
    case "object":
      return fc.record(Object.fromEntries(Object.entries(shape ?? {}).map(([key, inner]) => [key, underKey(key, fromSchema(inner))])), {
        noNullPrototype: true,
      });
    default:
      throw new Error(`a request has a part of the kind ${type}, which nothing is made of here`);
  }
}

/** Acting lines: what a person means, with an argument that nobody means once in a while. */
const LINES = [
  ...[
    "node kill X",
    "node start X",
    "node stop X",
    "node pause X",
    "node resume X",
    "node add X",
    "node rm X",
    "node rename X Y",
    "net add Y 10.9.0.0/24",
  ],
  ...[
    "net rm Y",
    "nic add X Y 10.9.0.7",
    "nic up X net0",
    "nic down X net0",
    "service restart X corosync",
    "service kill X Y",
    "link cut X:net0",
  ],
  ...[
    "link set X:net0 --delay N --loss N",
    "link set X --mtu N",
    "link heal X",
    "block X N/udp",
    "switch off net0",
    "switch on net0",
    "partition X Y",
  ],
  ...["heal", "disk X full", "disk X slow N", "disk X ok", "node kill X --after N"],
];
const actLine = fc
  .tuple(fc.constantFrom(...LINES), underKey("node", text), text, number)
  .map(([line, x, y, n]) => line.replaceAll("X", String(x)).replaceAll("Y", y).replaceAll("N", String(n)));

/** Requests of these kinds, as a client sends them. */
export function requestsOf(ops: readonly string[]): fc.Arbitrary<unknown> {
  const own = request.def.options.filter((option) => ops.some((op) => option.shape.op.value === op));
  const made = own.map((option) =>
    fromSchema(option).map((asked) => JSON.parse(JSON.stringify({ ...(asked as object), op: option.shape.op.value })) as unknown),
  );
  return fc.oneof(
    { weight: made.length, arbitrary: fc.oneof(...made) },
    { weight: 3, arbitrary: actLine.map((line) => ({ op: "act", line })) },
  );
}

/** Every kind of request there is. */
export const ALL_OPS: readonly string[] = request.def.options.map((option) => option.shape.op.value);
