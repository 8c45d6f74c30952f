/**
 * Checks of single layers by name, small enough to be loaded with a broken engine again and again. Each says what is wrong; nothing where the layer keeps its rules.
 * Checks named after a transcript replay it.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CmapService } from "../../src/engine/cmap/index.ts";
import { Fabric, type FabricDesign } from "../../src/engine/fabric/index.ts";
import { EventLog, type Entries } from "../../src/engine/host/event-log.ts";
import { Pace } from "../../src/engine/host/pace.ts";
import { firstDifference } from "../../src/engine/host/verifier.ts";
import { Rng, SEC, type Datagram, type NicStatus, type Port } from "../../src/engine/kernel/index.ts";
import { Tcp } from "../../src/engine/machine/tcp/tcp.ts";
import { CpgDriver } from "../transcript/drivers/cpg.ts";
import { KnetDriver } from "../transcript/drivers/knet.ts";
import { retell, type Driver } from "../transcript/told.ts";

type Check = () => readonly string[] | Promise<readonly string[]>;

/** Complains where `is` is not `should`. */
function differs(what: string, is: unknown, should: unknown): string[] {
  const [a, b] = [JSON.stringify(is), JSON.stringify(should)];
  return a === b ? [] : [`${what}: ${a} where it should be ${b}`];
}

function transcript(path: string, makeDriver: () => Driver): Check {
  return async () => {
    const text = readFileSync(fileURLToPath(new URL(`../transcript/${path}`, import.meta.url)), "utf8");
    const [told, wanted] = [(await retell(text, makeDriver())).split("\n"), text.split("\n")];
    const at = told.findIndex((line, i) => line !== wanted[i]);
    return at < 0 && told.length === wanted.length
      ? []
      : [`line ${at + 1}: ${told[at] ?? "nothing"} where it says ${wanted[at] ?? "nothing"}`];
  };
}

// ── cmap ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function cmap(): CmapService {
  const port: Port = {
    now: () => 0,
    setTimer: () => undefined,
    clearTimer: () => undefined,
    rng: Rng.from("cmap"),
    log: () => undefined,
    trace: () => undefined,
  };
  const hooks = { addressText: () => "", exit: () => undefined, live: () => [], changed: () => undefined };
  return new CmapService(port, { mcast: () => true }, hooks);
}

function members(): string[] {
  const service = cmap();
  service.configuration({ left: [], joined: [1, 2] });
  service.configuration({ left: [2], joined: [] });
  const shown = (): string[] => ["status", "join_count"].map((key) => String(service.get(`runtime.members.2.${key}`)?.value));
  const gone = differs("node 2 is gone", shown(), ["left", "1"]);
  service.configuration({ left: [], joined: [2] });
  return [...gone, ...differs("node 2 is back", shown(), ["joined", "2"])];
}

function clients(): string[] {
  const { map } = cmap();
  for (const key of ["totem.token", "a.key", "quorum.two_node"]) map.put(key, "str", "x");
  return [
    ...differs(
      "keys in byte order",
      map.list("").map((e) => e.key),
      ["a.key", "quorum.two_node", "totem.token"],
    ),
    ...differs("a key of the nodelist", map.set("nodelist.node.0.name", "str", "x"), "CS_ERR_ACCESS"),
    ...differs("a key that is there", map.set("a.key", "str", "y"), undefined),
    ...differs("a key that is not", map.delete("no.such.key"), "CS_ERR_NOT_EXIST"),
  ];
}

// ── fabric ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

const network: FabricDesign = {
  seed: "layer",
  networks: [{ name: "net0", cidr: "10.0.0.0/24" }],
  machines: ["a", "b"],
  nics: ["a", "b"].map((node, i) => ({ node, net: "net0", address: `10.0.0.${i + 1}` })),
};

function arrivals(fabric: Fabric, from: number, bytes: number): number {
  const [src, dst] = from === 0 ? ["10.0.0.1", "10.0.0.2"] : ["10.0.0.2", "10.0.0.1"];
  let copies = 0;
  fabric.route(0, from, { proto: "udp", net: "net0", src, srcPort: 1, dst, dstPort: 1, bytes: new Uint8Array(bytes) }, () => copies++);
  return copies;
}

function directions(): string[] {
  const fabric = new Fabric(network);
  fabric.act({ kind: "link-cut", link: { node: "a", net: "net0", direction: "out" } });
  const cut = differs("out of a, and back", [arrivals(fabric, 0, 10), arrivals(fabric, 1, 10)], [0, 1]);
  fabric.act({ kind: "heal" });
  return [...cut, ...differs("healed", [arrivals(fabric, 0, 10), arrivals(fabric, 1, 10)], [1, 1])];
}

function sizes(): string[] {
  const fabric = new Fabric(network);
  return differs(
    "1500 bytes pass, 1501 do not",
    [1472, 1473].map((bytes) => arrivals(fabric, 0, bytes)),
    [1, 0],
  );
}

function underWay(): string[] {
  const fabric = new Fabric(network);
  const packet: Datagram = {
    proto: "udp",
    net: "net0",
    src: "10.0.0.1",
    srcPort: 1,
    dst: "10.0.0.2",
    dstPort: 1,
    bytes: new Uint8Array(1),
  };
  fabric.act({ kind: "partition", groups: [["a"], ["b"]] });
  return differs("a packet that is under way when the network is cut arrives", fabric.arrives(0, 0, 1, packet), false);
}

// ── machine ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Two machines' TCP, with a network that loses what it is told to. */
class Stream {
  now = 0;
  readonly heard: string[] = [];
  private readonly timers = new Map<string, number>();
  private readonly flying: Datagram[] = [];
  lose = 0;
  readonly a = this.machine("10.0.0.1");
  readonly b = this.machine("10.0.0.2");

  private machine(address: string): Tcp {
    const nic: NicStatus = { name: "eno1", net: "net0", address, up: true, mtu: 1500 };
    return new Tcp(
      {
        now: () => this.now,
        setTimer: (name, at) => void this.timers.set(`${address} ${name}`, at),
        clearTimer: (name) => void this.timers.delete(`${address} ${name}`),
        nics: () => [nic],
        prefix: () => 24,
        send: (datagram) => {
          if (this.lose > 0) this.lose--;
          else this.flying.push(datagram);
        },
        deliver: (_owner, event) => void this.heard.push(`${address} ${event.kind}`),
      },
      Rng.from("layer", address),
    );
  }

  settle(seconds: number): void {
    const end = this.now + seconds * SEC;
    for (;;) {
      for (let d = this.flying.shift(); d !== undefined; d = this.flying.shift()) (d.dst === "10.0.0.1" ? this.a : this.b).receive(d);
      const [next, at] = [...this.timers].sort((x, y) => x[1] - y[1])[0] ?? ["", Infinity];
      if (at > end) break;
      this.now = Math.max(this.now, at);
      this.timers.delete(next);
      const [address, name = ""] = next.split(" ");
      (address === "10.0.0.1" ? this.a : this.b).timer(name);
    }
    this.now = end;
  }
}

function refused(): string[] {
  const stream = new Stream();
  stream.a.port("client").connect("10.0.0.2", 5403);
  stream.settle(1);
  return differs("a port that nobody listens on", stream.heard, ["10.0.0.1 failed"]);
}

function lost(): string[] {
  const stream = new Stream();
  stream.b.port("server").listen(5403);
  const client = stream.a.port("client");
  const id = client.connect("10.0.0.2", 5403);
  stream.settle(1);
  stream.lose = 1;
  client.send(id ?? 0, new Uint8Array(10));
  stream.settle(10);
  const all = [...stream.heard].sort();
  return differs("data that is lost once", all, ["10.0.0.1 connected", "10.0.0.2 accepted", "10.0.0.2 data"]);
}

// ── host ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function pace(): string[] {
  let wall = 1000;
  const p = new Pace({ now: () => wall, after: () => () => undefined }, 0);
  wall += 500;
  const twice = differs("half a second at a speed of two", p.target(2), SEC);
  // Time stood still until here: what the wall clock did meanwhile is not caught up.
  wall += 10_000;
  p.anchor(SEC);
  wall += 100;
  return [
    ...twice,
    ...differs("a tenth of a second after a pause", p.target(1), SEC + SEC / 10),
    ...differs("wall time until the next second", p.wallUntil(2 * SEC, 1), 900),
  ];
}

/** The entries of seven events; event `odd` has another effect than its number says. */
function entries(odd = -1): Entries {
  const log = new EventLog();
  for (let i = 0; i < 7; i++) {
    log.begin("timer", 10 * i);
    const bytes = Uint8Array.of(i === odd ? 99 : i);
    log.effect({ kind: "send", datagram: { proto: "udp", net: "net0", src: "10.0.0.1", srcPort: 1, dst: "10.0.0.2", dstPort: 1, bytes } });
    log.end(10 * (i + 1));
  }
  return log.cut();
}

async function difference(): Promise<string[]> {
  const found: string[] = [];
  for (const odd of [0, 1, 2, 3, 4, 5, 6]) {
    const other = entries(odd);
    const { own } = await firstDifference(entries(), (index) => Promise.resolve(other.at(index)));
    found.push(...differs(`event ${odd} is another one`, own?.at, 10 * odd));
  }
  return found;
}

export const CHECKS: Readonly<Record<string, Check>> = {
  "transcript knet/up-and-down": transcript("knet/up-and-down.txt", () => new KnetDriver()),
  "transcript knet/priorities": transcript("knet/priorities.txt", () => new KnetDriver()),
  "transcript knet/wrong-key": transcript("knet/wrong-key.txt", () => new KnetDriver()),
  "transcript cpg/join-and-say": transcript("cpg/join-and-say.txt", () => new CpgDriver()),
  "transcript cpg/split-and-merge": transcript("cpg/split-and-merge.txt", () => new CpgDriver()),
  "transcript cpg/refused": transcript("cpg/refused.txt", () => new CpgDriver()),
  "cmap: keys of members": members,
  "cmap: what clients may do": clients,
  "fabric: one direction": directions,
  "fabric: sizes": sizes,
  "fabric: a cut stops what is under way": underWay,
  "machine: a closed port": refused,
  "machine: a lost segment": lost,
  "host: pace": pace,
  "host: the first difference": difference,
};
