/**
 * What one machine believes, as numbers and names: the source of `quorate status`, of the page and of the checkers. The schema is the one place where a fact about a machine
 * is written down: the type, the check at every rim and docs/json.md follow from it. The first part of each record is the public shape of the command line; the rest is what
 * the page draws. Plain data throughout. This file is apart from the kernel's other types: whoever needs only the types does not load what checks them.
 */
import { z } from "zod";

const count = z.number();
const name = z.string().min(1).max(64);
const instant = z.number().describe("µs since the lab's epoch");
const ids = z.array(count);

export const linkStatus = z.object({
  to: count.describe("id of the node at the other end"),
  link: count.describe("0 … 7"),
  connected: z.boolean(),
  active: z.boolean().describe("this link carries the data to that node (passive choice)"),
  latencyUs: count.describe("mean round-trip latency knet measured, µs; 0 before the first pong"),
  localAddress: z.string(),
  remoteAddress: z.string(),
  mtu: count.describe("bytes"),
  priority: count,
  pongs: count.describe("pongs that count since the link went down or was made"),
  pongsNeeded: count.describe("pongs that it takes to come up: knet_pong_count, and the one after them"),
  latencyLastUs: count.describe("round trip of the last pong, µs; 0 before the first pong"),
});

export const tokenStatus = z.object({
  here: z.boolean().describe("this node holds the token now (the representative resting it, or in the middle of a visit)"),
  heldUntil: instant.optional().describe("the representative is holding it idle until this instant; absent when not"),
  lastReceived: instant.optional(),
  rotations: count,
  retransmits: count,
  slowestRotationUs: count.describe("slowest rotation of the last minute not counting the hold, µs"),
  meanRotationUs: count.describe(
    "mean rotation of this ring over the last second or more counting the hold, µs; 0 until it has been watched for so long",
  ),
  tokenTimeoutMs: count,
  consensusMs: count,
  holdMs: count,
  tokenRetransmitMs: count,
});

export const corosyncStatus = z.object({
  nodeId: count,
  state: z.enum(["operational", "gather", "commit", "recovery"]).describe("Totem's state"),
  ringId: z.string().describe("as corosync prints it"),
  members: ids.describe("node ids of the ring"),
  representative: count,
  links: z.array(linkStatus),
  gathering: z
    .object({ proc: ids, failed: ids, consensus: ids })
    .describe("what the node gathers: known and failed nodes; equal to members and empty while operational"),
  token: tokenStatus,
  syncing: z.boolean().describe("services have not synchronised yet"),
  timers: z
    .object({ token: instant.nullable(), consensus: instant.nullable(), join: instant.nullable() })
    .describe(
      "when Totem's timers run out: the token counts as lost, consensus is given up, the join is repeated; null where one is not armed",
    ),
  nodelist: z
    .array(z.object({ nodeId: count, name: z.string(), votes: count, addresses: z.array(z.string()) }))
    .describe("node ids by which this node's corosync.conf knows its peers, with their names"),
});

export const qdeviceStatus = z.object({
  model: z.string().describe("quorum.device.model"),
  algorithm: z.string().describe('ffsplit, lms, 2nodelms or test; "" while the device\'s daemon has not read its configuration'),
  host: z.string(),
  votes: count.describe("votes it adds where it casts them"),
  timeoutMs: count.describe("quorum.device.timeout: without a poll for so long it counts as gone"),
  registered: z.boolean(),
  alive: z.boolean(),
  castVote: z.boolean(),
  masterWins: z.boolean(),
  state: z.string().describe('the State line of corosync-qdevice-tool; "not running" where no daemon answers'),
  lastPoll: instant.nullable().describe("instant of the last poll of votequorum; null before one"),
});

export const qnetdStatus = z.object({
  clusters: z.array(
    z.object({
      name: z.string(),
      algorithm: z.string(),
      clients: z.array(
        z.object({
          nodeId: count,
          address: z.string(),
          ringId: z.string(),
          members: ids,
          vote: z.string().describe('the last that was sent to it, "" before one'),
          connected: z.boolean(),
        }),
      ),
      holders: ids.describe("node ids of connected clients whose last ACK or NACK was ACK"),
      lastDecision: z.object({ instant, winners: ids }).nullable().describe("when the algorithm last chose, and whom; null before"),
    }),
  ),
});

export const quorumOptions = z.object({
  twoNode: z.boolean(),
  waitForAll: z.boolean(),
  waiting: z.boolean().describe("wait_for_all: all nodes have to be seen together before there is quorum"),
  lastManStanding: z.boolean(),
  windowMs: count,
  windowEnds: instant.nullable().describe("the window of last_man_standing ends then; null while none runs"),
  tieBreaker: z.enum(["none", "lowest", "highest", "list"]),
  tieBreakerNodes: ids.describe("ids that decide an even split, the first that counts first; empty while none is known"),
  allowDownscale: z.boolean(),
  tracking: z.boolean().describe("expected_votes_tracking"),
});

export const quorumStatus = z.object({
  quorate: z.boolean(),
  expectedVotes: count,
  highestExpected: count,
  totalVotes: count,
  quorum: count.describe("votes that are needed"),
  flags: z.array(z.string()).describe("as corosync-quorumtool prints them"),
  qdevice: qdeviceStatus.nullable().describe("the quorum device as this node has it; null where none is configured"),
  options: quorumOptions.describe("the options of the quorum section in force, and what they are doing"),
  votes: z.array(z.object({ nodeId: count, votes: count, member: z.boolean() })),
});

export const nicStatus = z.object({
  name: z.string(),
  net: z.string(),
  address: z.string(),
  up: z.boolean(),
  mtu: count.describe("bytes"),
});

export const diskStatus = z.object({
  state: z.enum(["ok", "full", "read-only", "error", "slow"]),
  commitUs: count.describe("virtual time that each commit takes, µs"),
  busyUntil: instant.nullable().describe("then everything written so far is on the disk; null: it is"),
});

export const pmxcfsStatus = z.object({
  mode: z.enum(["cluster", "standalone", "local"]).describe("standalone: there is no cluster; local: `pmxcfs -l`"),
  writable: z.boolean().describe("there is quorum, or the mode needs none"),
  version: count.describe("changes since the tree began: the highest wins"),
  digest: z.string().describe("equal where two nodes have the same tree"),
  synced: z.boolean().describe("up to date with its group, with nothing queued"),
  online: ids.describe("ids of the nodes whose pmxcfs is in the status group"),
});

export const machineStatus = z.object({
  name,
  kind: z.enum(["node", "qnetd"]),
  power: z.enum(["on", "off", "stalled"]),
  powerSince: instant.describe("instant of the last change of `power`, µs"),
  booting: z.boolean(),
  worker: z.enum(["alive", "lost"]).describe("lost: the machine's process died untold or fell silent, until it is powered on again"),
  units: z.record(z.string(), z.enum(["active", "activating", "deactivating", "inactive", "failed"])).describe("by name without suffix"),
  nics: z.array(nicStatus),
  disk: diskStatus,
  corosync: corosyncStatus.nullable().describe("null where the daemon does not run"),
  quorum: quorumStatus.nullable(),
  qnetd: qnetdStatus.nullable().describe("what the server of the quorum device knows; null where no corosync-qnetd runs"),
  pmxcfs: pmxcfsStatus.nullable().describe("the cluster file system; null where no pmxcfs serves /etc/pve"),
  ha: z.null(),
  busy: z.boolean().describe("a modelled command is running"),
  upSince: instant.nullable().describe("instant at which it was powered on, stalls not counted; null while it is off"),
});

export type LinkStatus = z.infer<typeof linkStatus>;
export type TokenStatus = z.infer<typeof tokenStatus>;
export type CorosyncStatus = z.infer<typeof corosyncStatus>;
export type QdeviceStatus = z.infer<typeof qdeviceStatus>;
export type QnetdStatus = z.infer<typeof qnetdStatus>;
export type QuorumOptions = z.infer<typeof quorumOptions>;
export type QuorumStatus = z.infer<typeof quorumStatus>;
export type NicStatus = z.infer<typeof nicStatus>;
export type MachineStatus = z.infer<typeof machineStatus>;
export type Power = MachineStatus["power"];
export type UnitState = MachineStatus["units"][string];
export type TotemState = CorosyncStatus["state"];
