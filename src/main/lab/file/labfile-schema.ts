/** The schema of lab files and scenarios (docs/lab-file.md), and the types that come of it. Reading one from YAML is labfile.ts. */
import { z } from "zod";
import { RELEASES } from "../../../engine/config/release.ts";
import { unitNames } from "../../../engine/node/index.ts";
import { FILE_NAME_BYTES_MAX, FILE_PATH_BYTES_MAX } from "../../../engine/kernel/limits.ts";
import { parseDuration, unixFromIso } from "../../../engine/kernel/time.ts";
import { invariantNames } from "../scenario/invariants.ts";
import { CONF_BYTES_MAX } from "./read-input.ts";

const machineName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, "a host name has letters, digits and hyphens, at most 63");
const netName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,14}$/, "a network name begins with a letter, at most 15 of letters, digits, _ and -");
const cidr = z.string().regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/, "an address with prefix length, e.g. 10.0.0.0/24");
const address = z.string().regex(/^[0-9a-fA-F.:]+$/, "an IPv4 or IPv6 address");
const duration = z
  .union([z.number().nonnegative(), z.string()])
  .refine((v) => parseDuration(String(v)) !== undefined, "a duration: integer microseconds, or a number with us, ms, s, m or h")
  .transform((v) => parseDuration(String(v)) ?? 0);
const seed = z.union([z.string().min(1).max(64), z.number()]).transform(String);
const epoch = z.string().refine((v) => unixFromIso(v) !== undefined, "a UTC date and time, e.g. 2026-01-01T00:00:00Z");
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const setting = z.union([z.string(), z.number()], "a number or a text is allowed");

/** Files that one machine is given. Ours. */
const FILES_MAX = 1000;
/** Directories in each other on the way to such a file. Ours: a real node has a dozen. */
const FILE_DEPTH_MAX = 64;

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;
const filePath = z
  .string()
  .startsWith("/", "an absolute path")
  .refine((path) => !path.includes("\0"), "a path without the character NUL")
  .refine((path) => bytesOf(path) < FILE_PATH_BYTES_MAX, `a path of less than ${FILE_PATH_BYTES_MAX} bytes`)
  .refine((path) => path.split("/").every((name) => bytesOf(name) <= FILE_NAME_BYTES_MAX), `names of at most ${FILE_NAME_BYTES_MAX} bytes`)
  .refine((path) => path.split("/").length <= FILE_DEPTH_MAX, `a path of at most ${FILE_DEPTH_MAX} names`);
const files = z
  .record(filePath, z.string())
  .refine((all) => Object.keys(all).length <= FILES_MAX, `at most ${FILES_MAX} files of one machine are allowed`);

/** Written without quotes 9.2 is a number. */
const release = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.enum(RELEASES, `one of ${RELEASES.join(", ")} is allowed`));

const nodeKeys = z.object({
  id: z.number().int().min(1).max(0x7fffffff).optional(),
  power: z.enum(["on", "off"]).optional(),
  boot: duration.optional(),
  disable: z.array(z.enum(unitNames({ kind: "node" }))).optional(),
  files: files.optional(),
  packages: z.array(z.enum(["corosync-qdevice", "pve-cluster"])).optional(),
  release: release.optional(),
});
const nodeKeyNames = Object.keys(nodeKeys.shape);

/** Keys of the schema that this version reads in no place. */
export const laterKeys: Record<string, string> = {
  guests: "guests",
  storage: "storage",
  clockSkew: "clock skew",
  version: "choosing a release",
  cpu: "processors",
  memory: "memory",
  password: "passwords",
};

export interface LabNode extends z.infer<typeof nodeKeys> {
  /** Network name → address. */
  nets: Record<string, string>;
}

const node = z.record(z.string(), z.unknown()).transform((raw, context): LabNode => {
  const own: Record<string, unknown> = {};
  const nets: Record<string, string> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (nodeKeyNames.includes(key)) own[key] = value;
    else if (Object.hasOwn(laterKeys, key))
      context.addIssue({
        code: "custom",
        params: { ofKey: true },
        path: [key],
        message: `${laterKeys[key]} are not part of this version`.replace(/(skew|release|memory) are/, "$1 is"),
      });
    else {
      const parsed = address.safeParse(value);
      if (parsed.success) nets[key] = parsed.data;
      else
        context.addIssue({
          code: "custom",
          params: { ofKey: true },
          path: [key],
          message: `${key} is neither a key (${nodeKeyNames.join(", ")}) nor a network with an address`,
        });
    }
  }
  const parsed = nodeKeys.safeParse(own);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const ofKey = issue.code === "invalid_key";
      const message = ofKey ? (issue.issues[0]?.message ?? "not allowed") : issue.message;
      context.addIssue({ code: "custom", params: { ofKey }, path: issue.path, message });
    }
    return { nets };
  }
  return { ...parsed.data, nets };
});

const cluster = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,15}$/, "a cluster name has letters, digits and hyphens, at most 15")
    .default("lab"),
  links: z.array(netName).min(1).max(8).optional(),
  members: z.array(machineName).min(1).optional(),
  votes: z.record(machineName, z.number().int().min(0).max(1000)).optional(),
  ids: z.record(machineName, z.number().int().min(1).max(0x7fffffff)).optional(),
  priorities: z.record(netName, z.number().int().min(0).max(255)).optional(),
  totem: z.record(z.string(), setting).optional(),
  quorum: z.record(z.string(), setting).optional(),
  /** The machine below `qnetd` whose server arbitrates. */
  qdevice: machineName.optional(),
  /** corosync.conf itself, verbatim: a path beside the lab file, or the text. */
  conf: z.string().max(CONF_BYTES_MAX, `at most ${CONF_BYTES_MAX} characters of a corosync.conf are allowed`).optional(),
});

const wait = z.strictObject({
  quorate: z.boolean().optional(),
  members: z.number().int().min(0).optional(),
  node: z.union([machineName, z.array(machineName)]).optional(),
  synced: z.boolean().optional(),
  idle: z.boolean().optional(),
  timeout: z.number().positive().max(86_400).default(60),
});
const at = { at: duration.optional() };
const expectation = z.object({ node: machineName }).catchall(z.unknown());
const exec = z.strictObject({
  node: machineName,
  run: z
    .string()
    .min(1)
    .max(1 << 16),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  status: z.number().int().min(0).max(255).optional(),
  /** false: one command without a shell is started, and the next step does not wait for it. */
  wait: z.literal(false).optional(),
});
const input = z.strictObject({
  node: machineName,
  run: z
    .string()
    .min(1)
    .max(1 << 16),
  answers: z.array(scalar.transform(String)),
  stdout: z.string().optional(),
  stderr: z.string().optional(),
  status: z.number().int().min(0).max(255).optional(),
});
export const stepKinds = ["do", "wait", "exec", "expect", "input"] as const;
export const steps = z.union([
  z.strictObject({ ...at, do: z.string().min(1) }),
  z.strictObject({ ...at, wait }),
  z.strictObject({ ...at, exec }),
  z.strictObject({ ...at, expect: expectation }),
  z.strictObject({ ...at, input }),
]);

/** A program on every node that multicasts to a process group. Instants since power on. */
const load = z.strictObject({
  from: duration,
  until: duration,
  every: duration.refine((v) => v >= 1000, "at least 1ms"),
  burst: z.number().int().min(1).max(1000),
  bytes: z.number().int().min(1).max(1_000_000),
});

export const labFile = z.strictObject({
  quorate: z.literal(1, "the schema version: 1"),
  name: z.string().min(1).max(200).default("lab"),
  /** What the nodes run, but for those that say otherwise. */
  release: release.optional(),
  seed: seed.optional(),
  epoch: epoch.optional(),
  networks: z.record(netName, cidr),
  nodes: z.record(machineName, node),
  /** Machines that run corosync-qnetd. */
  qnetd: z.record(machineName, node).optional(),
  cluster: cluster.optional(),
  load: load.optional(),
  invariants: z.array(z.enum(invariantNames)).min(1).optional(),
  faults: z.array(z.string()).default([]),
  steps: z.array(z.unknown()).default([]),
});

export type Step = z.infer<typeof steps>;
export type LabCluster = z.infer<typeof cluster>;
export interface LabFile extends Omit<z.infer<typeof labFile>, "steps"> {
  steps: Step[];
}
